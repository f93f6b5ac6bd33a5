package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// An equivalent is a change that leaves the behaviour as it was. Where it stands
// is told by words and not by a line, so that it is found again after a move
// within the file.
type equivalent struct{ file, function, before, after string }

// readEquivalents reads a file with a change and the reason for its being
// equivalent in each line, separated by tabs.
func readEquivalents(name string) (map[equivalent]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	known := map[equivalent]string{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 || f[4] == "" {
			return nil, fmt.Errorf("%s: want file, function, before, after and reason, not %q", name, line)
		}
		known[equivalent{f[0], f[1], f[2], f[3]}] = f[4]
	}
	return known, nil
}

func (m *mutant) equivalent() equivalent {
	before, after := m.diff()
	return equivalent{m.file, m.function, before, after}
}

// report prints the survivors, and then how many there were of each outcome.
func report(out io.Writer, results []result, known map[equivalent]string) {
	count := map[outcome]int{}
	same := 0
	fmt.Fprintln(out)
	for _, r := range results {
		if reason, ok := known[r.equivalent()]; ok && r.outcome == survived {
			same++
			fmt.Fprintf(out, "equivalent: %s: %s\n", r.mutant, reason)
			continue
		}
		count[r.outcome]++
		if r.outcome == survived {
			fmt.Fprintln(out, r)
		}
	}
	dead := count[killed] + count[timedOut]
	fmt.Fprintf(out, "\n%d changes: %d killed, %d of them by time; %d survived; %d are equivalent",
		len(results)-count[unbuilt], dead, count[timedOut], count[survived], same)
	if rest := dead + count[survived]; rest > 0 {
		fmt.Fprintf(out, "; %.1f %% of the others killed", 100*float64(dead)/float64(rest))
	}
	if count[unbuilt] > 0 {
		fmt.Fprintf(out, "; %d more do not build with the tests", count[unbuilt])
	}
	fmt.Fprintln(out)
}
