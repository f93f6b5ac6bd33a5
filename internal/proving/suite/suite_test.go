package suite

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Every test that can be run over any store is one of the suite, and of its short
// version unless the store makes no difference.
func TestSuiteIsComplete(t *testing.T) {
	t.Parallel()
	once, short := map[string]bool{}, map[string]bool{}
	for _, x := range tests() {
		if _, twice := once[x.Name]; twice {
			t.Errorf("%s is there twice", x.Name)
		}
		once[x.Name] = x.Once
	}
	for _, x := range few(tests()) {
		short[x.Name] = true
	}
	found := 0
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T, \w+ proving\.Open\)`)
	err := filepath.WalkDir(proving.Source(t, "internal", "proving"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
			found++
			if leftOut, ok := once[match[1]]; !ok || leftOut == short[match[1]] {
				t.Errorf("%s: in the suite: %t, left out of its short version: %t, in it: %t", match[1], ok, leftOut, short[match[1]])
			}
		}
		return err
	})
	if err != nil || found != len(once) {
		t.Errorf("found %d tests of %d, %v", found, len(once), err)
	}
}
