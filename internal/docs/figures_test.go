package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	figureRE = regexp.MustCompile(`\b[0-9]{1,3}(?:,[0-9]{3})+\b`)

	// What documents say: that so many writes of so many were lost, in so many failovers, or
	// that so many accepted codes of so many worked a second time.
	shareRE = regexp.MustCompile(`(\S+) of ([0-9]{1,3}(?:,[0-9]{3})*)\b(?: writes in ([0-9]+) fail| accepted (codes) worked a second time)?`)

	// Rows of the tables: failovers, acknowledged writes, lost ones; accepted codes, how
	// many worked twice; and what failed in a siege, how often.
	lostRE  = regexp.MustCompile(`(?m)^\| [^|]+ \| ([0-9]+) \| ([0-9,]+) \| ([0-9,]+) \| [0-9,]+ \|$`)
	twiceRE = regexp.MustCompile(`(?m) \| ([0-9,]+) \| codes worked twice: (\w+)\b`)
	siegeRE = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([0-9,]+)(?: \w+)? \| [0-9,]+ \| [0-9,]+ \| [0-9,]+ \|`)
	oftenRE = regexp.MustCompile(`(?m)^\| [^|]+ \| ([0-9,]+) \| `)
)

// Where figures are, and what comes before those in SECURITY.md.
const (
	sourceOfFigures = "internal/integration/README.md"
	securityFigures = "\nMeasured in long runs"
)

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Of how many writes and accepted codes documents speak, and how many of them were lost, is
// what internal/integration/README.md says. A new run changes all of them.
func TestFigures(t *testing.T) {
	t.Parallel()
	source := document(t, sourceOfFigures)
	pairs, failovers := map[string]bool{}, map[string]string{}
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
		{"README.md", "\n## Stores", "\n## ", 10},
		{"SECURITY.md", securityFigures, "\n### ", 15},
		{"store/redisstore/doc.go", "\n// Measured on one machine", "\n//\n", 3},
		{"internal/integration/recipes/etcdstore/etcdstore.go", "\n// Nothing that Save has acknowledged", "\n//\n", 2},
	} {
		_, text, found := strings.Cut(document(t, part.path), part.from)
		text, _, ends := strings.Cut(text, part.to)
		text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\n//", "\n")), " ")
		found, checked := found && ends, 0
		for _, share := range shareRE.FindAllStringSubmatch(text, -1) {
			lost, of := share[1], share[2]
			pair := lost + " of " + of
			if share[4] != "" {
				pair += " codes"
			}
			if checked++; !pairs[pair] {
				t.Errorf("%s says %q, which %s does not", part.path, share[0], sourceOfFigures)
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

// The table in SECURITY.md says how often something failed in the sieges of
// internal/integration/README.md, and all other figures around it are there or in the
// documentation of package interleave.
func TestFiguresOfSieges(t *testing.T) {
	t.Parallel()
	source := document(t, sourceOfFigures)
	known := figureRE.FindAllString(source+document(t, "internal/proving/interleave/interleave.go"), -1)
	sieges, _, _ := strings.Cut(source, "\nServers with a setting that `Check` refuses")
	failures := map[string]int{}
	for _, row := range siegeRE.FindAllStringSubmatch(sieges, -1) {
		what := row[1]
		for part, group := range map[string]string{"process": "processes", "server is killed": "servers", "broken network": "networks", "link goes down": "networks"} {
			if strings.Contains(row[1], part) {
				what = group
			}
		}
		failures[what] += number(t, row[2])
	}
	_, text, _ := strings.Cut(document(t, "SECURITY.md"), securityFigures)
	text, _, _ = strings.Cut(text, "\n### ")
	var said, want []int
	for _, row := range oftenRE.FindAllStringSubmatch(text, -1) {
		said = append(said, number(t, row[1]))
		known = append(known, row[1])
	}
	for _, n := range failures {
		want = append(want, n)
	}
	if slices.Sort(said); len(want) < 11 || !slices.Equal(said, slices.Sorted(slices.Values(want))) {
		t.Errorf("SECURITY.md says that something failed %d times, and the sieges were %v", said, failures)
	}
	for _, figure := range figureRE.FindAllString(text, -1) {
		if !slices.Contains(known, figure) {
			t.Errorf("SECURITY.md has the figure %s, and nothing says where it comes from", figure)
		}
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
