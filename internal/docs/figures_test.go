package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	figureRE = regexp.MustCompile(`\b[0-9]{1,3}(?:,[0-9]{3})+\b`)

	// What documents say: that so many writes of so many were lost, in so many failovers,
	// that so many accepted codes of so many worked a second time, or a number alone.
	shareRE = regexp.MustCompile(`(\S+) of ([0-9]{1,3}(?:,[0-9]{3})*)\b(?: writes in ([0-9]+) fail| accepted (codes) worked a second time)?`)

	// Rows of the tables: failovers, acknowledged writes, lost ones; accepted codes, how
	// many worked twice.
	lostRE  = regexp.MustCompile(`(?m)^\| [^|]+ \| ([0-9]+) \| ([0-9,]+) \| ([0-9,]+) \| [0-9]+ \|$`)
	twiceRE = regexp.MustCompile(`(?m) \| ([0-9,]+) \| codes worked twice: (\w+)\b`)
)

// Of how many writes and operations documents speak, and how many were lost, is what
// internal/integration/README.md says. A new run changes all of them.
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
	source := read("internal/integration/README.md")
	measured, pairs, failovers := map[string]bool{}, map[string]bool{}, map[string]string{}
	for _, figure := range figureRE.FindAllString(source, -1) {
		measured[figure] = true
	}
	for _, row := range lostRE.FindAllStringSubmatch(source, -1) {
		lost, of := row[3], row[2]
		if lost == "0" {
			lost = "none"
		}
		pairs[lost+" of "+of], failovers[of] = true, row[1]
	}
	for _, row := range twiceRE.FindAllStringSubmatch(source, -1) {
		pairs[row[2]+" of "+row[1]+" codes"] = true
	}
	if len(failovers) < 9 || len(pairs) < len(failovers)+2 {
		t.Fatalf("the tables have %d rows of lost writes, and %d pairs", len(failovers), len(pairs))
	}

	for _, part := range []struct {
		path, from, to string
		pairs          int
	}{
		{"README.md", "\n## Stores", "\n## ", 6},
		{"SECURITY.md", "\nMeasured in long runs", "\n\n", 6},
		{"store/redisstore/doc.go", "\n// Measured on one machine", "\n//\n", 3},
		{"internal/integration/recipes/etcdstore/etcdstore.go", "\n// Nothing that Save has acknowledged", "\n//\n", 2},
	} {
		_, text, found := strings.Cut(read(part.path), part.from)
		text, _, ends := strings.Cut(text, part.to)
		text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\n//", "\n")), " ")
		found, checked := found && ends, 0
		for _, share := range shareRE.FindAllStringSubmatch(text, -1) {
			lost, of := share[1], share[2]
			pair := lost + " of " + of
			if share[4] != "" {
				pair += " codes"
			}
			total := lost == "and" || lost == "history" // of so many, and no pair
			switch {
			case pairs[pair]:
				checked++
			case !total || !measured[of]:
				t.Errorf("%s says %q, which internal/integration/README.md does not", part.path, share[0])
			}
			if share[3] != "" && share[3] != failovers[of] {
				t.Errorf("%s says %q, which were %s", part.path, share[0], failovers[of])
			}
		}
		if !found || checked != part.pairs {
			t.Errorf("%s has %d figures between %q and %q, want %d", part.path, checked, part.from, part.to, part.pairs)
		}
	}
}
