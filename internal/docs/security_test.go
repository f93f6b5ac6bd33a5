package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/cases"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/faults"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/features"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/model"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/races"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

var (
	testRE    = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(\w+ \*testing\.[TF]\) \{`)
	namedRE   = regexp.MustCompile("`((?:Test|Fuzz)\\w*)`")
	headRE    = regexp.MustCompile(`^\| (?:promise|what fails|section|requirement) \|`)
	commandRE = regexp.MustCompile(`(?m)^go test (\S+) -run '((?:\^TestAll\$/)?)\^(Test\w+)\$'$`)
)

// SECURITY.md names, for what is promised, the tests that prove it. Each of them
// runs by one of its commands, and each row of a promise names one.
func TestSecurity(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	tests, ofEtcd := topLevel(t)
	subtests := subtests(t)

	commands := commandRE.FindAllStringSubmatch(text, -1)
	if len(commands) != 2 ||
		commands[0][1] != "work" || commands[0][2] != "" || !tests[commands[0][3]] ||
		commands[1][1] != "./internal/proving/..." || commands[1][2] == "" || !subtests[commands[1][3]] {
		t.Errorf("these commands do not run a test and a subtest: %q", commands)
	}
	ledger, standards := 0, 0
	part := ""
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			part = strings.TrimSpace(heading)
		}
		named := namedRE.FindAllStringSubmatch(line, -1)
		for _, match := range named {
			name := match[1]
			if !tests[name] && !subtests[name] && (!ofEtcd[name] || !strings.Contains(line, "etcd")) {
				t.Errorf("no command of SECURITY.md runs %s, which it names", name)
			}
		}
		row := strings.HasPrefix(line, "| ") && !headRE.MatchString(line)
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

// topLevel returns the tests that the go command runs by their names alone: those of
// the workspace, and those of the module outside it.
func topLevel(t *testing.T) (inside, outside map[string]bool) {
	t.Helper()
	inside, outside = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		of := inside
		if strings.Contains(filepath.ToSlash(path), "/recipes/etcdstore/") {
			of = outside
		}
		source, err := os.ReadFile(path)
		for _, match := range testRE.FindAllStringSubmatch(string(source), -1) {
			of[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return inside, outside
}

// subtests returns the tests that run below a TestAll of internal/proving.
func subtests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for folder, tests := range map[string][]proving.Test{
		"cases": cases.Tests, "faults": faults.Tests, "features": features.Tests,
		"model": model.Tests, "races": races.Tests, "states": states.Tests,
	} {
		source, err := os.ReadFile("../proving/" + folder + "/" + folder + "_test.go")
		_, all, found := strings.Cut(string(source), "\nfunc TestAll(")
		all, _, _ = strings.Cut(all, "\n}")
		if err != nil || !found || !strings.Contains(all, folder+".Tests)") {
			t.Errorf("package %s has no TestAll that runs its Tests, %v", folder, err)
		}
		for _, test := range tests {
			names[test.Name] = true
		}
	}
	return names
}
