package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// Every sentence of the pages has its German, and there is no German without a sentence.
func TestGermanIsComplete(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, l := range literals(t) {
		used[l.text] = true
		if l.isSentence() && !names[l.text] {
			translated(t, l.where, l.text)
		}
	}
	all, err := parsePages()
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range all {
		for _, x := range page.Templates() {
			if x.Tree == nil {
				continue
			}
			sentences(x.Tree.Root, func(sentence string, constant bool) {
				if !constant {
					t.Errorf("%s: t takes a sentence that stands in the template, because it is not escaped", name)
					return
				}
				used[sentence] = true
				translated(t, name, sentence)
			})
		}
	}
	for _, story := range demo.Stories {
		for _, sentence := range append(story.Steps, story.Title) {
			used[sentence] = true
			translated(t, "the story "+story.Name, sentence)
		}
	}
	for sentence := range languages["de"].own {
		if !used[sentence] {
			t.Errorf("nothing says %q", sentence)
		}
	}
}

func translated(t *testing.T, where, sentence string) {
	t.Helper()
	if _, ok := languages["de"].own[sentence]; !ok {
		t.Errorf("%s: there is no German for %q", where, sentence)
	}
}

// names are the same in every language.
var names = map[string]bool{defaultIssuer: true, "Acme Rentals": true, "Reseller One": true}

// A literal is a text in the code.
type literal struct {
	where, text string
	label       bool // the value of a field that a page shows
}

var sentenceRE = regexp.MustCompile(`^[A-Z]([a-z’-]*,? .*[a-z]|[a-z’-]+\.$)`)

// isSentence reports whether a page shows the text: errors, and what is logged, begin with
// a small letter.
func (l literal) isSentence() bool {
	return l.label || sentenceRE.MatchString(l.text) && !strings.Contains(l.text, "\n")
}

// literals returns all texts in the code, but not those of tests.
func literals(t *testing.T) (list []literal) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		labels := map[ast.Node]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.KeyValueExpr:
				key, ok := x.Key.(*ast.Ident)
				labels[x.Value] = ok && slices.Contains([]string{"Label", "Hint", "Title"}, key.Name)
			case *ast.BasicLit:
				if text, err := strconv.Unquote(x.Value); x.Kind == token.STRING && err == nil {
					list = append(list, literal{files.Position(x.Pos()).String(), text, labels[x]})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// sentences calls found with the first argument of each call of the function t in the node.
func sentences(n parse.Node, found func(sentence string, constant bool)) {
	list := func(l *parse.ListNode) {
		if l != nil {
			for _, n := range l.Nodes {
				sentences(n, found)
			}
		}
	}
	branch := func(b *parse.BranchNode) {
		sentences(b.Pipe, found)
		list(b.List)
		list(b.ElseList)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		list(n)
	case *parse.ActionNode:
		sentences(n.Pipe, found)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			sentences(n.Pipe, found)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			for _, argument := range command.Args {
				if pipe, ok := argument.(*parse.PipeNode); ok {
					sentences(pipe, found)
				}
			}
			if function, ok := command.Args[0].(*parse.IdentifierNode); ok && function.Ident == "t" {
				if len(command.Args) < 2 {
					found("", false)
					continue
				}
				sentence, constant := command.Args[1].(*parse.StringNode)
				if !constant {
					found("", false)
					continue
				}
				found(sentence.Text, true)
			}
		}
	}
}

var (
	actionRE = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	spokenRE = regexp.MustCompile(`\b(?:aria-label|placeholder|title|alt)="([^"]*)"`)
)

// The templates themselves have no words, so none of them can be missing in German.
func TestTemplatesHaveNoWords(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("templates/*.html")
	more, err2 := filepath.Glob("templates/*/*.html")
	if err != nil || err2 != nil || len(files) == 0 || len(more) == 0 {
		t.Fatal("there are no templates")
	}
	for _, file := range append(files, more...) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plain := actionRE.ReplaceAllString(string(source), "")
		for _, spoken := range spokenRE.FindAllStringSubmatch(plain, -1) {
			if strings.ContainsFunc(spoken[1], unicode.IsLetter) {
				t.Errorf("%s: %s", file, spoken[0])
			}
		}
		for line := range strings.Lines(tagRE.ReplaceAllString(plain, "")) {
			if strings.ContainsFunc(line, unicode.IsLetter) {
				t.Errorf("%s: %s", file, strings.TrimSpace(line))
			}
		}
	}
}

// The German takes what the English takes, has the same links, and is well set.
func TestGermanFits(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`</?[a-z]+[^>]*>`)
	for sentence, german := range languages["de"].own {
		if strings.Count(sentence, "%v") != strings.Count(german, "%v") || strings.Count(german, "%") != strings.Count(german, "%v") {
			t.Errorf("%q takes other values than %q", german, sentence)
		}
		tags, its := links.FindAllString(sentence, -1), links.FindAllString(german, -1)
		if !slices.Equal(tags, its) {
			t.Errorf("%q: tags %q, want %q", german, its, tags)
		}
		text := links.ReplaceAllString(german, "")
		if strings.ContainsAny(text, `"'`) || strings.Count(text, "„") != strings.Count(text, "“") || strings.ContainsRune(text, '”') {
			t.Errorf("%q: quotes are „…“", german)
		}
		if german != strings.TrimSpace(german) {
			t.Errorf("%q: space around it", german)
		}
		end := func(s string) string { return strings.TrimRight(links.ReplaceAllString(s, ""), ".?!:") }
		if (end(sentence) == links.ReplaceAllString(sentence, "")) != (end(german) == text) {
			t.Errorf("%q: ends unlike %q", german, sentence)
		}
	}
	keys := regexp.MustCompile(`(?m)^\t("(?:[^"\\]|\\.)*"):`).FindAllSubmatch(german, -1)
	if len(keys) != len(languages["de"].own) {
		t.Errorf("%d lines for %d sentences: one of them is there twice", len(keys), len(languages["de"].own))
	}
}

// A value can't bring markup into a sentence that has some.
func TestSentencesEscape(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"en": `You are signed in as <strong>&lt;b&gt;&amp;%v</strong>.`,
		"de": `Sie sind als <strong>&lt;b&gt;&amp;%v</strong> angemeldet.`,
	} {
		if got := languages[tag].html("You are signed in as <strong>%v</strong>.", "<b>&%v"); string(got) != want {
			t.Errorf("%s: %s", tag, got)
		}
	}
	if got := languages["de"].say("100 %v of what somebody typed"); got != "100 %v of what somebody typed" {
		t.Errorf("%q", got)
	}
	if got := languageTagged("fr").Tag; got != "en" {
		t.Errorf("a language that is missing: %q", got)
	}
}
