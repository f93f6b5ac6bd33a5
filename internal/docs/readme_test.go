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
	blockRE   = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")
	commentRE = regexp.MustCompile(`(?m)(?:^//\t.*\n)+`)
	indentRE  = regexp.MustCompile(`(?m)^\t+`)
)

// README.md is read to its end.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	const most = 249
	text, err := os.ReadFile("../../README.md")
	if lines := strings.Count(string(text), "\n"); err != nil || lines > most || lines < most/2 {
		t.Errorf("README.md has %d lines, want at most %d, %v", lines, most, err)
	}
}

// Each piece of Go in README.md, up to an empty line, is code of examples/readme or of
// examples/minimal, which compile and have tests. So is each piece in the documentation of package
// enrollment that calls a Guard.
func TestReadme(t *testing.T) {
	t.Parallel()
	const folder = "../../examples"
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	documentation, err := os.ReadFile("../../enrollment/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, example := range []string{"readme", "minimal"} {
		found, err := fs.Glob(os.DirFS(folder), example+"/*.go")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	var source strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		source.WriteString(unindented(string(b)))
	}
	check := func(chunk string) {
		if !strings.Contains(source.String(), "\n"+unindented(chunk)+"\n") {
			t.Errorf("this is not code of examples/readme or examples/minimal:\n%s", chunk)
		}
	}
	for _, chunk := range commentRE.FindAllString(string(documentation), -1) {
		if strings.Contains(chunk, "guard.") {
			check(strings.TrimSpace(strings.ReplaceAll(chunk, "//\t", "")))
		}
	}
	found := 0
	for _, block := range blockRE.FindAllStringSubmatch(string(text), -1) {
		for chunk := range strings.SplitSeq(strings.TrimSpace(block[1]), "\n\n") {
			found++
			check(chunk)
		}
	}
	if found < 8 {
		t.Errorf("only %d pieces of Go in README.md", found)
	}
}

func unindented(code string) string { return indentRE.ReplaceAllString(code, "") }
