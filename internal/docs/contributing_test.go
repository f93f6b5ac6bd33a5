package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	backtickRE = regexp.MustCompile("`([^`\n]+)`")
	pathRE     = regexp.MustCompile(`^\.?[\w-]+(/[\w.-]+)+/?$|^\w+\.(go|md)$`)
	methodRE   = regexp.MustCompile(`^(\w+)\.(\w+)$`)
	funcRE     = regexp.MustCompile(`(?m)^func (?:\((?:\w+ )?\*?(\w+)[^)]*\) )?(\w+)[\[(]`)
)

// The files, methods and tests that CONTRIBUTING.md names exist, and so does each
// folder of its tree.
func TestContributing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	functions := declared(t)
	tree, rest := "", string(text)
	if before, after, ok := strings.Cut(rest, "## Where things are\n\n```\n"); ok {
		tree, after, _ = strings.Cut(after, "```\n")
		rest = before + after
	}

	checked := 0
	for _, match := range backtickRE.FindAllStringSubmatch(rest, -1) {
		name := match[1]
		switch method := methodRE.FindStringSubmatch(name); {
		case pathRE.MatchString(name):
			checked++
			exists(t, name)
		case strings.HasPrefix(name, "Test"), method != nil && method[1] != "store" && method[1] != "Config":
			if checked++; !functions[name] {
				t.Errorf("there is no %s", name)
			}
		}
	}
	folder := ""
	for line := range strings.Lines(tree) {
		names, _, _ := strings.Cut(strings.TrimLeft(line, " "), "   ")
		nested := strings.HasPrefix(line, " ")
		for name := range strings.FieldsSeq(names) {
			if !pathRE.MatchString(name) && !strings.HasSuffix(name, "/") {
				break
			}
			if !nested {
				folder = name
				name = ""
			}
			checked++
			exists(t, folder+name)
		}
	}
	if checked < 60 {
		t.Errorf("only %d names were checked", checked)
	}
}

func exists(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(name))); err != nil {
		t.Error(err)
	}
}

// declared returns the functions and, as Type.Method, the methods of all files.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range funcRE.FindAllStringSubmatch(string(source), -1) {
			all[strings.TrimPrefix(match[1]+"."+match[2], ".")] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
