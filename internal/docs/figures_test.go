package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	figureRE = regexp.MustCompile(`\b[0-9]{1,3}(?:,[0-9]{3})+\b`)
	shareRE  = regexp.MustCompile(`\bof ([0-9]{1,3}(?:,[0-9]{3})+)\b`)
)

// Of how many writes and operations documents speak is what internal/integration/README.md
// says. A new run changes all of them.
func TestFigures(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	measured := map[string]bool{}
	for _, figure := range figureRE.FindAllString(read("internal/integration/README.md"), -1) {
		measured[figure] = true
	}
	for _, part := range []struct{ path, from, to string }{
		{"README.md", "\n## Stores", "\n## Install"},
		{"SECURITY.md", "\nMeasured in long runs", "\n\n"},
		{"store/redisstore/doc.go", "\n// Measured on one machine", "\n//\n"},
	} {
		_, text, found := strings.Cut(read(part.path), part.from)
		text, _, ends := strings.Cut(text, part.to)
		shares := shareRE.FindAllStringSubmatch(text, -1)
		if !found || !ends || len(shares) == 0 {
			t.Errorf("%s has no figures between %q and %q", part.path, part.from, part.to)
		}
		for _, share := range shares {
			if !measured[share[1]] {
				t.Errorf("%s says %q, which internal/integration/README.md does not", part.path, share[0])
			}
		}
	}
}
