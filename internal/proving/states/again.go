package states

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// show enables two-factor authentication with one authenticator. The recovery codes
// are those of the setup, or of a renewal.
func (s *State) show(renewed bool) {
	s.t.Helper()
	s.stage(enrollment.Proof{})
	s.Shown, s.App = s.Token, s.Waits
	done, err := s.Guard.Confirm(s.t.Context(), User, s.Shown, s.Code(s.App))
	s.Must(err)
	s.Codes, s.Receipt = done.Codes.Reveal(), done.Success.Receipt
	s.Renewal, err = s.Guard.PrepareRenewal(s.t.Context(), User)
	s.Must(err)
	if renewed {
		s.renew()
	}
	s.Pass(time.Minute)
	s.Challenge = s.Kit.Challenge(User)
}

// renew makes recovery codes with the renewal token.
func (s *State) renew() {
	s.t.Helper()
	done, err := s.Guard.RenewCodesOnce(s.t.Context(), User, s.Renewal, enrollment.ByReceipt(s.Receipt))
	s.Must(err)
	s.Codes, s.Receipt = done.Codes.Reveal(), done.Receipt
	s.Challenge = s.Kit.Challenge(User)
}

// showAgain leads an account to where the recovery codes of its last setup can be
// shown again: it begins anew.
func showAgain(s *State) {
	s.Must(s.Guard.Disable(s.t.Context(), User, enrollment.ByReceipt(s.Receipt)))
	if s.Name == "alone" && s.App.IsZero() {
		s.bind(enrollment.ByReauth("password"))
		done, err := s.Guard.Messages().Confirm(s.t.Context(), User, s.Binding, s.Message)
		s.Must(err)
		s.Codes, s.Shown = done.Codes.Reveal(), s.Binding
		return
	}
	s.stage(enrollment.Proof{})
	s.Shown, s.App = s.Token, s.Waits
	done, err := s.Guard.Confirm(s.t.Context(), User, s.Shown, s.code(s.App))
	s.Must(err)
	s.Codes, s.Receipt = done.Codes.Reveal(), done.Success.Receipt
	s.tick()
}

// renewOnce makes new recovery codes with a token.
func renewOnce(s *State) {
	var err error
	s.Renewal, err = s.Guard.PrepareRenewal(s.t.Context(), User)
	s.Must(err)
	s.renew()
}

// ReplaceCode steps up with a recovery code, which is replaced.
func ReplaceCode(s *State) {
	last := len(s.Codes) - 1
	s.ReplacedCode, s.Codes = s.Codes[last], s.Codes[:last]
	done, err := s.Guard.Verify(s.t.Context(), User, "step-up", s.ReplacedCode)
	s.Must(err)
	s.Replaced, s.Receipt, s.Challenge = done.Challenge, done.Receipt, s.Kit.Challenge(User)
}

// againTable returns the rows of the table of repetitions in STATES.md.
func againTable(t *testing.T) [][]string {
	t.Helper()
	_, rows := docTable(t, "state", "proof", "again")
	return rows
}

// repeated are the rows of the table of repetitions that are called otherwise than
// those of the table of states: with the very token that the first call had.
var repeated = map[string]func(s *State, p enrollment.Proof) func() error{
	"RenewCodesOnce": func(s *State, p enrollment.Proof) func() error {
		token, err := s.Guard.PrepareRenewal(s.t.Context(), User)
		s.Must(err)
		return func() error { _, err := s.Guard.RenewCodesOnce(s.t.Context(), User, token, p); return err }
	},
	"Answer": func(s *State, p enrollment.Proof) func() error {
		code := s.code(s.App)
		return func() error {
			_, err := s.Guard.Answer(s.t.Context(), enrollment.PurposeSignIn, s.Challenge, code)
			return err
		}
	},
	"Answer+Recovery": func(s *State, p enrollment.Proof) func() error {
		code := s.recoveryCode()
		return func() error {
			_, err := s.Guard.Answer(s.t.Context(), enrollment.PurposeSignIn, s.Challenge, code)
			return err
		}
	},
	"Verify+Recovery": func(s *State, p enrollment.Proof) func() error {
		code := s.recoveryCode()
		return func() error { _, err := s.Guard.Verify(s.t.Context(), User, "step-up", code); return err }
	},
	"Remove": func(s *State, p enrollment.Proof) func() error {
		id := s.authenticator()
		return func() error { return s.Guard.Remove(s.t.Context(), User, id, p) }
	},
	"Admin.Reset+Ticket": func(s *State, _ enrollment.Proof) func() error {
		return func() error {
			_, err := s.admin().Reset(s.t.Context(), User, enrollment.ResetOptions{Ticket: true})
			return err
		}
	},
	"Begin+Ticket": func(s *State, _ enrollment.Proof) func() error {
		ticket, err := s.admin().Reset(s.t.Context(), User, enrollment.ResetOptions{Ticket: true})
		s.Must(err)
		return func() error {
			_, err := s.Guard.Begin(s.t.Context(), User, enrollment.BeginOptions{Account: "a", Ticket: ticket, Proof: enrollment.ByReauth("password")})
			return err
		}
	},
}

// Every operation is called twice with the same arguments, as by a second click. The
// first call succeeds. The second one answers as the table says, and what it denies
// changes nothing.
func TestRepetitions(t *testing.T, open proving.Open) {
	covered := map[string]bool{}
	for _, row := range againTable(t) {
		if len(row) != 4 {
			t.Fatalf("row %q has not a cell for each column", row)
		}
		name, state, by, want := row[0], row[1], row[2], row[3]
		base, _, _ := strings.Cut(name, "+")
		covered[base], covered[name] = true, true
		t.Run(strings.Join(row, " "), func(t *testing.T) {
			t.Parallel()
			o, known := operations[name]
			if !known {
				o = operations[base]
			}
			r := o.needs
			reauth := r.adjust
			r.adjust = func(c *enrollment.Config) {
				c.ReauthDisables = by == "reauth"
				if reauth != nil {
					reauth(c)
				}
			}
			s := o.ready(tabled(t, open, state, r))
			proof := map[string]func() enrollment.Proof{
				"-":       func() enrollment.Proof { return enrollment.Proof{} },
				"code":    func() enrollment.Proof { return enrollment.ByCode(s.right()) },
				"receipt": func() enrollment.Proof { return enrollment.ByReceipt(s.Receipt) },
				"reauth":  func() enrollment.Proof { return enrollment.ByReauth("password") },
				"token":   func() enrollment.Proof { return s.demanded(s.Guard) },
			}[by]
			if proof == nil {
				t.Fatalf("there is no proof %q", by)
			}
			p := proof()
			call := func() error { return o.call(s, p) }
			if special := repeated[name]; special != nil {
				call = special(s, p)
			} else if !known {
				t.Fatalf("nothing is known of %s", name)
			}
			s.Must(call())
			before := s.record()
			err := call()
			if want == "ok" {
				s.Must(err)
				return
			}
			if got := string(proving.ReasonOf(err)); got != want {
				t.Errorf("the second time: %q (%v), want %q", got, err, want)
			}
			if s.record() != before {
				t.Error("what was denied has changed the record")
			}
		})
	}
	for name := range operations {
		if !covered[name] {
			t.Errorf("the table of repetitions lacks %s", name)
		}
	}
}

// The table says in words what a page does after each reason in it.
func TestRepetitionsHaveWords(t *testing.T, _ proving.Open) {
	source, err := os.ReadFile(proving.Source(t, "enrollment", "STATES.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(source), "## The same request again")
	_, after, _ := strings.Cut(text, "\n```\n")
	for _, row := range againTable(t) {
		if want := row[len(row)-1]; want != "ok" && !slices.Contains(strings.FieldsFunc(after, func(r rune) bool { return r == '`' || r == ' ' || r == '\n' }), want) {
			t.Errorf("nothing is said about %q", want)
		}
	}
}
