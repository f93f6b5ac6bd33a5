package docs_test

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	rowRE      = regexp.MustCompile(`(?m)^\| ((?:0x)?[0-9a-f]+)(?:, ([0-9]+))? \|`)
	numberedRE = regexp.MustCompile(`(?:: |, |are |is )((?:0x)?[0-9a-f]+) ([a-z]+(?: [a-z]+)*)`)
	wordRE     = regexp.MustCompile(`[A-Z][a-z]+`)
)

// The page about the vectors has each field that an account stores, each kind of event
// and each factor.
func TestVectorsPage(t *testing.T) {
	t.Parallel()
	page, tags := section(t, "enrollment/testdata/vectors/README.md", "Accounts"), constants(t, "tag")
	var rows []int64
	for _, row := range rowRE.FindAllStringSubmatch(page, -1) {
		for _, number := range row[1:] {
			if number != "" {
				rows = append(rows, parsed(t, number))
			}
		}
	}
	same(t, "the account", rows, tags["tagEpoch"])
	delete(tags, "tagEpoch")

	page = strings.Join(strings.Fields(page), " ")
	for first, start := range map[string]string{
		"tagAuthenticatorID": "An authenticator is fields:",
		"tagSetupID":         "A setup is fields:",
		"tagAddress":         "Tag 21 is fields:",
		"tagChannel":         "An address is fields:",
		"tagDeliveryID":      "A message is fields:",
		"tagEventID":         "An event is fields:",
		"tagDeviceID":        "trusted devices: list of fields,",
		"tagEvent":           "undelivered events: list of fields,",
	} {
		numbers, _ := numbered(t, page, start)
		same(t, start, numbers, tags[first])
		delete(tags, first)
	}
	for first := range tags {
		t.Errorf("no part of the page is known to have the fields from %s on", first)
	}

	numbers, kinds := numbered(t, page, "Kinds are")
	declared := constants(t, "Event")["EventEnabled"]
	same(t, "kinds", numbers, declared)
	for name, number := range declared {
		words := strings.ToLower(strings.Join(wordRE.FindAllString(name, -1)[1:], " "))
		if i := slices.Index(numbers, number); i < 0 || kinds[i] != words {
			t.Errorf("the page has not %d %s", number, words)
		}
	}
	numbers, _ = numbered(t, page, "A factor is")
	factors := constants(t, "")["NoFactor"]
	same(t, "factors", numbers, factors)
}

// section returns what is below a heading of a document.
func section(t *testing.T, path, heading string) string {
	t.Helper()
	source, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(source), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", path, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// numbered returns the numbers of a sentence, and the words behind each.
func numbered(t *testing.T, page, start string) (numbers []int64, words []string) {
	t.Helper()
	at := strings.Index(page, start)
	if at < 0 {
		t.Fatalf("the page does not say %q", start)
	}
	sentence, _, _ := strings.Cut(page[at:], ". ")
	sentence, _, _ = strings.Cut(sentence, " | ")
	for _, match := range numberedRE.FindAllStringSubmatch(sentence[strings.LastIndexByte(start, ' '):], -1) {
		numbers, words = append(numbers, parsed(t, match[1])), append(words, match[2])
	}
	return numbers, words
}

func parsed(t *testing.T, number string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(number, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func same(t *testing.T, what string, page []int64, code map[string]int64) {
	t.Helper()
	want := slices.Sorted(maps.Values(code))
	if slices.Sort(page); len(want) == 0 || !slices.Equal(page, want) {
		t.Errorf("%s: the page has %d, package account has %d", what, page, want)
	}
}

// constants returns the integers of package account whose names have the prefix, by the
// first of their declaration.
func constants(t *testing.T, prefix string) map[string]map[string]int64 {
	t.Helper()
	paths, err := filepath.Glob("../account/*.go")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	// Imports are not read: what depends on them is left out, and errors say so.
	info := types.Info{Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Error: func(error) {}}
	_, _ = config.Check("account", files, parsed, &info)
	all := map[string]map[string]int64{}
	for _, f := range parsed {
		for _, decl := range f.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			numbers, first := map[string]int64{}, ""
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					c, ok := info.Defs[name].(*types.Const)
					if !ok || !strings.HasPrefix(name.Name, prefix) || c.Val().Kind() != constant.Int {
						continue
					}
					if first == "" {
						first = name.Name
					}
					numbers[name.Name], _ = constant.Int64Val(c.Val())
				}
			}
			if first != "" {
				all[first] = numbers
			}
		}
	}
	return all
}
