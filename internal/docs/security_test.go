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
	testRE  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)
	namedRE = regexp.MustCompile("`((?:Test|Fuzz)\\w*)`")
)

// SECURITY.md names, for what is promised, the tests that prove it. Each of them
// exists, and each row of a promise names one.
func TestSecurity(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range testRE.FindAllStringSubmatch(string(source), -1) {
			tests[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	ledger, standards := 0, 0
	part := ""
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			part = strings.TrimSpace(heading)
		}
		named := namedRE.FindAllStringSubmatch(line, -1)
		for _, match := range named {
			if !tests[match[1]] {
				t.Errorf("there is no %s, which SECURITY.md names", match[1])
			}
		}
		row := strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| promise") && !strings.HasPrefix(line, "| section") && !strings.HasPrefix(line, "| requirement")
		switch {
		case row && part == "Standards":
			standards++
		case row:
			ledger++
			if len(named) == 0 {
				t.Errorf("no test is named for %s", line)
			}
		}
	}
	if ledger < 30 || standards < 30 {
		t.Errorf("SECURITY.md has %d promises and %d requirements, which is fewer than were written", ledger, standards)
	}
}
