package states

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A proofColumn is a column of the table of proofs: something that could prove.
type proofColumn struct {
	group  string // above the head
	name   string // the word in the head
	denied string // what "no" means there
	proof  func(s *State) enrollment.Proof
	config func(c *enrollment.Config)
}

// proofColumns are the columns of the table, in their order.
var proofColumns = []proofColumn{
	{group: "code", name: "app", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof {
		return enrollment.ByCode(s.code(s.App))
	}},
	{group: "code", name: "recovery", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof {
		return enrollment.ByCode(s.recoveryCode())
	}},
	{group: "receipt", name: "app", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof {
		return enrollment.ByReceipt(s.receiptFor(s.code(s.App)))
	}},
	{group: "receipt", name: "recovery", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof {
		receipt := s.receiptFor(s.recoveryCode())
		s.restage(receipt) // a recovery code voids a setup
		return enrollment.ByReceipt(receipt)
	}},
	{group: "receipt", name: "delivered", denied: "proof_not_allowed", proof: func(s *State) enrollment.Proof {
		s.pause()
		challenge := s.deliver()
		ok, err := s.Guard.Answer(s.t.Context(), enrollment.PurposeSignIn, challenge, s.Message)
		s.Must(err)
		s.pause() // so that it is not the message that stands in the way
		return enrollment.ByReceipt(ok.Receipt)
	}},
	{group: "reauth", name: "off", denied: "proof_not_allowed", proof: func(*State) enrollment.Proof {
		return enrollment.ByReauth("password")
	}},
	{group: "reauth", name: "allowed", denied: "proof_not_allowed", proof: func(*State) enrollment.Proof {
		return enrollment.ByReauth("password")
	}, config: func(c *enrollment.Config) { c.ReauthDisables = true }},
	{group: "nothing", name: "none", denied: "proof_required", proof: func(*State) enrollment.Proof {
		return enrollment.Proof{}
	}},
}

// receiptFor returns the receipt of an answer with that code.
func (s *State) receiptFor(code string) enrollment.Receipt {
	s.t.Helper()
	ok, err := s.Guard.Verify(s.t.Context(), User, "proof", code)
	s.Must(err)
	return ok.Receipt
}

// restage begins the setup again that a change of factor has voided.
func (s *State) restage(receipt enrollment.Receipt) {
	s.t.Helper()
	if s.Name == "staged" {
		s.stage(enrollment.ByReceipt(receipt))
	}
}

// proofTable returns the table of proofs: for each operation, a cell for each of
// proofColumns.
func proofTable(t *testing.T) map[string][]string {
	t.Helper()
	var head []string
	for _, c := range proofColumns {
		head = append(head, c.name)
	}
	_, rows := docTable(t, head...)
	table := map[string][]string{}
	for _, row := range rows {
		if len(row) != len(proofColumns)+1 {
			t.Fatalf("row %q has not a cell for each kind of proof", row)
		}
		for _, cell := range row[1:] {
			if cell != "yes" && cell != "no" {
				t.Fatalf("row %q says neither yes nor no", row)
			}
		}
		table[row[0]] = row[1:]
	}
	return table
}

// Every operation that the table of states says to need a proof has a row in
// the table of proofs, and no other has. Its cells are walked with those of the
// table of states, in each state, see walkProofs.
func TestProofTable(t *testing.T, _ proving.Open) {
	_, rows := docTable(t, "none", "pending", "confirmed")
	table := proofTable(t)
	for _, row := range rows {
		needs := slices.ContainsFunc(row[1:], func(cell string) bool { return strings.HasSuffix(cell, "*") })
		if _, ok := table[row[0]]; ok != needs {
			t.Errorf("%s: in the table of proofs %v, needs a proof %v", row[0], ok, needs)
		}
	}
}

// walkProofs calls an operation that needs a proof with every kind of proof,
// and with each that is spoilt.
func walkProofs(t *testing.T, open proving.Open, to lead, name, state, want string) {
	o := operations[name]
	cells := proofTable(t)[name]
	if cells == nil {
		t.Fatalf("%s has no row in the table of proofs", name)
	}
	for i, c := range proofColumns {
		if state == "alone" && c.name == "app" {
			continue // there is none
		}
		t.Run(c.group+" "+c.name, func(t *testing.T) {
			t.Parallel()
			r := o.needs
			r.adjust = func(config *enrollment.Config) {
				for _, f := range []func(*enrollment.Config){o.adjust, c.config} {
					if f != nil {
						f(config)
					}
				}
			}
			s := o.ready(to(t, open, state, r))
			proof := c.proof(s)
			before := s.record()
			err := o.call(s, proof)
			if cells[i] == "no" {
				s.expect(err, c.denied)
				if s.record() != before {
					t.Error("what was denied has changed the record")
				}
				return
			}
			if c.group == "code" && c.name == "recovery" && (name == "Messages.Bind" || name == "ThreeCodes.Resynchronize") && want == "staged" {
				s.expect(err, "confirmed") // it voids the pending setup
				return
			}
			s.expect(err, want)
		})
	}
	for _, c := range []struct {
		name   string
		proof  func(s *State) enrollment.Proof
		want   string // the reason; "" where it is as good as a code of the app
		writes bool   // whether a refusal is counted
	}{
		{name: "other app's code", proof: func(s *State) enrollment.Proof { return enrollment.ByCode(s.code(s.Second)) }},
		{name: "wrong code", proof: func(s *State) enrollment.Proof { return enrollment.ByCode(s.Wrong()) }, want: "wrong_code", writes: true},
		{name: "malformed code", proof: func(*State) enrollment.Proof { return enrollment.ByCode("hello") }, want: "malformed_code"},
		{name: "used code", proof: func(s *State) enrollment.Proof {
			code := s.code(s.App)
			s.receiptFor(code)
			return enrollment.ByCode(code)
		}, want: "replayed"},
		{name: "stale receipt", proof: func(s *State) enrollment.Proof {
			receipt := s.receiptFor(s.right())
			s.restage(receipt)
			s.Pass(enrollment.ReceiptTTL + time.Microsecond)
			return enrollment.ByReceipt(receipt)
		}, want: "proof_stale"},
		{name: "void receipt", proof: func(s *State) enrollment.Proof {
			old := s.receiptFor(s.right())
			renewed, err := s.Guard.RenewCodes(s.t.Context(), User, enrollment.ByReceipt(old))
			s.Must(err)
			s.restage(renewed.Receipt)
			return enrollment.ByReceipt(old)
		}, want: "proof_invalid"},
		{name: "challenge", proof: func(s *State) enrollment.Proof {
			return enrollment.ByReceipt(enrollment.ReceiptOf(s.Challenge.Reveal()))
		}, want: "proof_invalid"},
		{name: "setup token", proof: func(s *State) enrollment.Proof { return enrollment.ByReceipt(enrollment.ReceiptOf(s.Token.Reveal())) }, want: "proof_invalid"},
		{name: "empty receipt", proof: func(*State) enrollment.Proof { return enrollment.ByReceipt(enrollment.Receipt{}) }, want: "proof_invalid"},
		{name: "another user's receipt", proof: func(s *State) enrollment.Proof {
			return enrollment.ByReceipt(s.receiptOf("mallory"))
		}, want: "proof_invalid"},
		{name: "device as a receipt", proof: func(s *State) enrollment.Proof {
			trustDevice(s)
			return enrollment.ByReceipt(enrollment.ReceiptOf(s.Device.Token.Reveal()))
		}, want: "proof_invalid"},
		{name: "device as a code", proof: func(s *State) enrollment.Proof {
			trustDevice(s)
			return enrollment.ByCode(s.Device.Token.Reveal())
		}, want: "malformed_code"},
		{name: "token of before the first setup", proof: func(s *State) enrollment.Proof {
			return s.demanded(s.NodeOver(memory.New(), s.Keys))
		}, want: "enroll_token_invalid"},
		{name: "bypass", proof: func(s *State) enrollment.Proof {
			s.Must(s.admin().Bypass(s.t.Context(), User, s.Now().Add(time.Hour)))
			return enrollment.Proof{}
		}, want: "proof_required"},
	} {
		if state == "alone" && (c.want == "" || c.writes || c.want == "replayed") {
			continue // there is no app
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := o.ready(to(t, open, state, o.needs))
			proof := c.proof(s)
			before := s.record()
			err := o.call(s, proof)
			if c.want == "" {
				s.expect(err, want)
				return
			}
			s.expect(err, c.want)
			if changed := s.record() != before; changed != c.writes {
				t.Errorf("the record changed: %v, want %v", changed, c.writes)
			}
		})
	}
}

// A trusted device, a bypass and a deadline that is not over let somebody in,
// and hand out nothing that proves anything.
func TestWaiversYieldNoReceipt(t *testing.T, open proving.Open) {
	for i := range reflect.TypeFor[enrollment.Decision]().NumField() {
		if name := reflect.TypeFor[enrollment.Decision]().Field(i).Name; strings.Contains(name, "Receipt") {
			t.Errorf("a Decision has a %s", name)
		}
	}
	for _, c := range []struct {
		name  string
		state string
		login func(s *State) enrollment.SignInOptions
		want  enrollment.Factor
	}{
		{"trusted device", "confirmed", func(s *State) enrollment.SignInOptions {
			trustDevice(s)
			return enrollment.SignInOptions{Device: s.Device.Token}
		}, enrollment.FactorTrustedDevice},
		{"bypass", "confirmed", func(s *State) enrollment.SignInOptions {
			s.Must(s.admin().Bypass(s.t.Context(), User, s.Now().Add(time.Hour)))
			return enrollment.SignInOptions{}
		}, enrollment.FactorBypass},
		{"grace", "none", func(s *State) enrollment.SignInOptions {
			return enrollment.SignInOptions{Require: true, Grace: s.Now().Add(time.Hour)}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := tabled(t, open, c.state, needs{})
			d, err := s.Guard.SignIn(t.Context(), User, c.login(s))
			s.Must(err)
			if d.Next != enrollment.Proceed || d.Waived != c.want || !d.Challenge.IsZero() {
				t.Errorf("%+v, want Proceed, waived by %q, without a challenge", d, c.want)
			}
			status, err := s.Guard.Status(t.Context(), User)
			s.Must(err)
			if c.want != "" && (status.State != store.Confirmed || status.LastFactor != c.want) {
				t.Errorf("the status says %v, %q", status.State, status.LastFactor)
			}
		})
	}
}
