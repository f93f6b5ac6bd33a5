package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var mermaidRE = regexp.MustCompile("(?ms)^```mermaid\n(.*?)^```$")

// The diagrams of enrollment/STATES.md say what its tables say, which other tests
// walk.
func TestStateDiagrams(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../enrollment/STATES.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	drawn := mermaidRE.FindAllStringSubmatch(text, -1)
	if len(drawn) != 2 {
		t.Fatalf("STATES.md has %d diagrams, want 2", len(drawn))
	}
	states, rows := stateTable(t, text, "none", "pending", "confirmed")
	if want := diagram(states, rows); drawn[0][1] != want {
		t.Errorf("the first diagram is\n%s\nwant\n%s", drawn[0][1], want)
	}

	// An account of an address alone is like a confirmed one, but for its own
	// table, whose other columns are the way there.
	alone, own := stateTable(t, text, "none", "pending", "disabled", "alone")
	confirmed := 1 + slices.Index(states, "confirmed")
	for _, row := range rows {
		if i := slices.IndexFunc(own, func(o []string) bool { return o[0] == row[0] }); i < 0 {
			like := append([]string{row[0]}, alone[:len(alone)-1]...) // elsewhere nothing to add
			own = append(own, append(like, strings.Replace(row[confirmed], "confirmed", "alone", 1)))
		}
	}
	if want := diagram(alone, own); drawn[1][1] != want {
		t.Errorf("the second diagram is\n%s\nwant\n%s", drawn[1][1], want)
	}
}

// diagram draws what leads from one state to another.
func diagram(states []string, rows [][]string) string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> none\n")
	for column, from := range states {
		var to []string
		by := map[string][]string{}
		for _, row := range rows {
			state, proof := strings.CutSuffix(row[column+1], "*")
			if strings.Contains(state, "_") || state == from {
				continue
			}
			if by[state] == nil {
				to = append(to, state)
			}
			if proof {
				by[state] = append(by[state], row[0]+"*")
			} else {
				by[state] = append(by[state], row[0])
			}
		}
		for _, state := range to {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, state, strings.Join(by[state], ", "))
		}
	}
	return b.String()
}

// stateTable returns the table of operations in the text whose columns begin with
// head.
func stateTable(t *testing.T, text string, head ...string) (states []string, rows [][]string) {
	t.Helper()
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case states != nil && strings.HasPrefix(line, "```"):
			return states, rows
		case states != nil:
			if len(words) != 1+len(states) {
				t.Fatalf("row %q has not a cell for each state", words)
			}
			rows = append(rows, words)
		case len(words) > len(head) && words[0] == "operation" && slices.Equal(words[1:1+len(head)], head):
			states = words[1:]
		}
	}
	t.Fatalf("STATES.md has no table of operations whose columns begin with %q", head)
	return nil, nil
}
