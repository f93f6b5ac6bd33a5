package states

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// unprovenStates are the states in which nothing proves a second factor.
var unprovenStates = []string{"none", "pending", "disabled"}

// firstColumns are the columns of the table of proofs for the first setup, in their
// order.
var firstColumns = []proofColumn{
	{name: "code", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof { return enrollment.ByCode(s.code(s.App)) }},
	{name: "receipt", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) }},
	{name: "reauth", denied: "proof_not_allowed", proof: func(*State) enrollment.Proof { return enrollment.ByReauth("password") }},
	{name: "token", denied: "enroll_token_invalid", proof: func(s *State) enrollment.Proof { return s.demanded(s.Guard) }},
	{name: "none", denied: "proof_required", proof: func(*State) enrollment.Proof { return enrollment.Proof{} }},
	{name: "opt-out", proof: func(*State) enrollment.Proof { return enrollment.Proof{} },
		config: func(c *enrollment.Config) { c.UnprovenSetup = true }},
}

// demanded is the proof by the token of a sign-in that demands the setup.
func (s *State) demanded(g *enrollment.Guard) enrollment.Proof {
	s.t.Helper()
	d, err := g.SignIn(s.t.Context(), User, enrollment.SignInOptions{Require: true, Browser: "firefox"})
	s.Must(err)
	return enrollment.ByEnrollToken(d.EnrollToken, "firefox")
}

// Demanded is the proof by the token of a sign-in that demands the setup. What bends
// the store does not meet the sign-in.
func (s *State) Demanded() enrollment.Proof {
	s.t.Helper()
	return s.demanded(s.NodeOver(s.Store.Straight, s.Keys))
}

// firstTable returns the table of proofs for the first setup: for each operation, a
// cell for each of firstColumns.
func firstTable(t *testing.T) map[string][]string {
	t.Helper()
	var head []string
	for _, c := range firstColumns {
		head = append(head, c.name)
	}
	_, rows := docTable(t, head...)
	table := map[string][]string{}
	for _, row := range rows {
		if len(row) != len(firstColumns)+1 {
			t.Fatalf("row %q has not a cell for each kind of proof", row)
		}
		table[row[0]] = row[1:]
	}
	return table
}

// TestFirstProofTable: the operations that need a proof where nothing proves a
// second factor are those of the table for the first setup. Its cells are walked
// with those of the tables of states, see walkFirstProofs.
func TestFirstProofTable(t *testing.T, _ proving.Open) {
	table := firstTable(t)
	needs := map[string]bool{}
	for _, head := range [][]string{{"none", "pending", "confirmed"}, {"none", "pending", "disabled", "alone"}} {
		states, rows := docTable(t, head...)
		for _, row := range rows {
			for i, cell := range row[1:] {
				if strings.HasSuffix(cell, "*") && slices.Contains(unprovenStates, states[i]) {
					needs[row[0]] = true
				}
			}
		}
	}
	for name := range needs {
		if table[name] == nil {
			t.Errorf("%s needs a proof, and is not in the table of the first setup", name)
		}
	}
	for name := range table {
		if !needs[name] {
			t.Errorf("%s is in the table of the first setup, and needs no proof", name)
		}
	}
}

// walkFirstProofs calls an operation that begins the first setup with every kind of
// proof.
func walkFirstProofs(t *testing.T, open proving.Open, to lead, name, state, want string) {
	o := operations[name]
	cells := firstTable(t)[name]
	if cells == nil {
		t.Fatalf("%s has no row in the table of the first setup", name)
	}
	for i, c := range firstColumns {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := o.ready(to(t, open, state, o.needs))
			if c.config != nil {
				s.Configure(c.config)
			}
			before := s.record()
			err := o.call(s, c.proof(s))
			if cells[i] == "yes" {
				s.expect(err, want)
				return
			}
			s.expect(err, c.denied)
			if s.record() != before {
				t.Error("what was denied has changed the record")
			}
		})
	}
}
