package states

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// docTable returns the first table of enrollment/STATES.md whose columns begin with
// head: the words above them, and its rows.
func docTable(t *testing.T, head ...string) (columns []string, rows [][]string) {
	t.Helper()
	source, err := os.ReadFile(proving.Source(t, "enrollment", "STATES.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(source)) {
		words := strings.Fields(line)
		switch {
		case columns != nil && strings.HasPrefix(line, "```"):
			return columns, rows
		case columns != nil:
			rows = append(rows, words)
		case len(words) > len(head) && words[0] == "operation" && slices.Equal(words[1:1+len(head)], head):
			columns = words[1:]
		}
	}
	t.Fatalf("STATES.md has no table of operations whose columns begin with %q", head)
	return nil, nil
}

// The table in STATES.md is the specification: every pair of state and
// operation is walked, those that need a proof with each kind of proof.
func TestStateTable(t *testing.T, open proving.Open) {
	states, rows := docTable(t, "none", "pending", "confirmed")
	if got, want := firstWords(rows), slices.Sorted(maps.Keys(operations)); !slices.Equal(got, want) {
		t.Fatalf("the rows are\n%q, want\n%q", got, want)
	}
	for _, row := range rows {
		if len(row) != len(states)+1 {
			t.Fatalf("row %q has not a cell for each state", row)
		}
		for i, state := range states {
			t.Run(row[0]+"/"+state, func(t *testing.T) {
				t.Parallel()
				walk(t, open, tabled, row[0], state, row[i+1])
			})
		}
	}
}

// An account of an address alone is walked like a confirmed one, but for its own
// table.
func TestStateTableAlone(t *testing.T, open proving.Open) {
	states, all := docTable(t, "none", "pending", "confirmed")
	confirmed := slices.Index(states, "confirmed")
	cells := map[string]string{}
	for _, row := range all {
		cells[row[0]] = strings.Replace(row[confirmed+1], "confirmed", "alone", 1)
	}
	states, rows := docTable(t, "none", "pending", "disabled", "alone")
	for _, row := range rows {
		name := row[0]
		if cells[name] == "" || len(row) != len(states)+1 {
			t.Fatalf("row %q is not one to walk", row)
		}
		cells[name] = row[len(states)]
		for i, state := range states[:len(states)-1] {
			t.Run(name+"/"+state, func(t *testing.T) {
				t.Parallel()
				to := tabledAlone
				if name == "Messages.Confirm" {
					to = func(t *testing.T, open proving.Open, state string, r needs) *State {
						s := tabledAlone(t, open, state, r)
						s.pause() // where the account was confirmed before, a message was sent
						s.bind(enrollment.ByReauth("password"))
						return s
					}
				}
				walk(t, open, to, name, state, row[i+1])
			})
		}
	}
	for name, cell := range cells {
		t.Run(name+"/alone", func(t *testing.T) {
			t.Parallel()
			walk(t, open, tabledAlone, name, "alone", cell)
		})
	}
}

// An app that is set up beside an address leads out of that state, by a
// recovery code or its receipt, since that of a delivered code changes nothing.
func TestAuthenticatorBesideAddress(t *testing.T, open proving.Open) {
	s := tabledAlone(t, open, "alone", needs{})
	s.stage(enrollment.ByReceipt(s.Receipt))
	done, err := s.Guard.Confirm(t.Context(), User, s.Token, s.code(s.Waits))
	s.Must(err)
	if done.Event != enrollment.EventAuthenticatorAdded || done.Codes.Len() != 0 {
		t.Errorf("%q with %d codes, want one more authenticator, and the codes that are there", done.Event, done.Codes.Len())
	}
	s.expect(nil, "confirmed")
}

// walk carries an operation out in a state, and checks the outcome against the
// cell of the table.
func walk(t *testing.T, open proving.Open, to lead, name, state, cell string) {
	t.Helper()
	o := operations[name]
	want, needsProof := strings.CutSuffix(cell, "*")
	if needsProof {
		if slices.Contains(unprovenStates, state) {
			walkFirstProofs(t, open, to, name, state, want)
			return
		}
		walkProofs(t, open, to, name, state, want)
		return
	}
	s := o.ready(to(t, open, state, o.needs))
	proof := enrollment.ByCode(s.right())
	before := s.record()
	s.expect(o.call(s, proof), want)
	if strings.Contains(want, "_") && s.record() != before {
		t.Error("what was denied has changed the record")
	}
}

func firstWords(rows [][]string) []string {
	var words []string
	for _, row := range rows {
		words = append(words, row[0])
	}
	slices.Sort(words)
	return words
}
