package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Of the changes to larger, one can't be noticed, since both results are the
// same then; of those to limit, one is noticed by the other package only; and
// nothing tests forgotten.
var sample = map[string]string{
	"go.mod": "module example.com/sample\n\ngo 1.25\n",
	"a/a.go": `package a

func larger(a, b int) int {
	if a < b {
		return b
	}
	return a
}

func Limit() int { return 5 }

func wait() (n int) {
	for n < 3 {
		n++
	}
	return n
}

func forgotten(err error) (int, error) {
	return 0, err
}
`,
	"a/a_test.go": `package a

import "testing"

func Test(t *testing.T) {
	if larger(1, 2) != 2 || larger(2, 1) != 2 || wait() != 3 {
		t.Fail()
	}
}
`,
	"b/b_test.go": `package b

import (
	"testing"

	"example.com/sample/a"
)

func Test(t *testing.T) {
	if a.Limit() != 5 {
		t.Fail()
	}
}
`,
	"b/b.go": "package b\n",
}

func newLab(t *testing.T, files map[string]string) *lab {
	t.Helper()
	l := &lab{Root: t.TempDir(), Others: map[string][]string{"a": {"./b"}}, Jobs: 2, Out: t.Output(), Grace: 5 * time.Second}
	for name, text := range files {
		name = filepath.Join(l.Root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestEachOutcome(t *testing.T) {
	t.Parallel()
	results, err := newLab(t, sample).run(t.Context(), []string{"a"}, 1000, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		before, after := r.diff()
		got = append(got, strings.Join([]string{string(r.outcome), r.function, before, after, filepath.Base(r.by)}, "; "))
	}
	want := []string{
		"killed; larger; if a < b {; if (a < b) || true {; a",
		"survived; larger; if a < b {; if a <= b {; .",
		"killed; larger; if a < b {; if a >= b {; a",
		"killed; larger; return b; ; a",
		"killed; Limit; func Limit() int { return 5 }; func Limit() int { return 4 }; b",
		"killed; Limit; func Limit() int { return 5 }; func Limit() int { return 6 }; b",
		"killed; wait; for n < 3 { n++ }; ; a",
		"killed; wait; for n < 3 {; for n <= 3 {; a",
		"killed; wait; for n < 3 {; for n >= 3 {; a",
		"killed; wait; for n < 3 {; for n < 2 {; a",
		"killed; wait; for n < 3 {; for n < 4 {; a",
		"timed out; wait; n++; ; a",
		"timed out; wait; n++; n--; a",
		"survived; forgotten; return 0, err; return 0, nil; .",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// One seed draws the same changes again, and a run that goes on has the rest of them.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	draw := func(skip int) []string {
		t.Helper()
		results, err := newLab(t, sample).run(t.Context(), []string{"a"}, 3, skip, 8)
		if err != nil || len(results) != 3-skip {
			t.Fatalf("%d results, %v", len(results), err)
		}
		var all []string
		for _, r := range results {
			all = append(all, r.mutant.String())
		}
		return all
	}
	one, again := draw(0), draw(0)
	if !slices.Equal(one, again) {
		t.Errorf("one seed draws\n%q\nand\n%q", one, again)
	}
	for _, m := range draw(2) {
		if !slices.Contains(one, m) {
			t.Errorf("%q is none of %q", m, one)
		}
	}
}

// Where the tests fail anyway, everything would look killed.
func TestFailingTests(t *testing.T) {
	t.Parallel()
	files := maps.Clone(sample)
	files["b/b_test.go"] = strings.Replace(files["b/b_test.go"], "!= 5", "!= 6", 1)
	if _, err := newLab(t, files).run(t.Context(), []string{"a"}, 1, 0, 1); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("with a test that fails: %v", err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	l := newLab(t, sample)
	l.scratch = t.TempDir()
	p, err := l.load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	var results []result
	for _, m := range p.mutants() {
		if m.function == "larger" {
			results = append(results, result{mutant: m, outcome: survived})
		}
	}
	results[0].outcome, results[1].outcome, results[2].outcome = killed, timedOut, unbuilt

	list := filepath.Join(t.TempDir(), "list")
	before, after := results[3].diff()
	line := strings.Join([]string{"a/a.go", "larger", before, after, "because"}, "\t") + "\n"
	if err := os.WriteFile(list, []byte("# a comment\n"+line), 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := readEquivalents(list)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	report(&out, results, known)
	for _, want := range []string{
		"equivalent: " + results[3].mutant.String() + ": because\n",
		"survived  " + results[4].mutant.String() + "\n",
		"\n4 changes: 2 killed, 1 of them by time; 1 survived; 1 are equivalent; 66.7 % of the others killed; 1 more",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// What is listed as equivalent has to have a reason.
func TestEquivalents(t *testing.T) {
	t.Parallel()
	if _, err := readEquivalents("equivalent.tsv"); err != nil {
		t.Error(err)
	}
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("a/a.go\tlarger\ta < b\ta <= b\t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readEquivalents(list); err == nil {
		t.Error("a change without a reason is taken")
	}
}
