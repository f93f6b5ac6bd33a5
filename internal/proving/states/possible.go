package states

import (
	"errors"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// changes are the operations of the table of proofs, as Status names them.
var changes = map[string]enrollment.ChangeKind{
	"Begin":               enrollment.ChangeBegin,
	"Begin+HardwareToken": enrollment.ChangeBegin,
	"Begin+Replace":       enrollment.ChangeReplace,
	"Messages.Bind":       enrollment.ChangeBind,
	"RenewCodes":          enrollment.ChangeRenewCodes,
	"RecoveryCodes":       enrollment.ChangeRecoveryCodes,
	"Remove":              enrollment.ChangeRemove,
	"Messages.Unbind":     enrollment.ChangeUnbind,
	"Disable":             enrollment.ChangeDisable,

	"ThreeCodes.Resynchronize": enrollment.ChangeResynchronize,
}

// attempts are the kinds of proof. Each says whether Status allows it.
var attempts = map[string]struct {
	proof func(s *State) enrollment.Proof
	says  func(c enrollment.Change) bool
}{
	"app code": {
		proof: func(s *State) enrollment.Proof { return enrollment.ByCode(s.Right()) },
		says:  func(c enrollment.Change) bool { return slices.Contains(c.Codes, enrollment.FactorTOTP) },
	},
	"recovery code": {
		proof: func(s *State) enrollment.Proof { return enrollment.ByCode(s.unspent()) },
		says:  func(c enrollment.Change) bool { return slices.Contains(c.Codes, enrollment.FactorRecovery) },
	},
	"app receipt": {
		proof: func(s *State) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) },
		says:  func(c enrollment.Change) bool { return slices.Contains(c.Receipts, enrollment.FactorTOTP) },
	},
	"recovery receipt": {
		proof: func(s *State) enrollment.Proof {
			ok, err := s.Guard.Verify(s.t.Context(), User, "x", s.unspent())
			if err != nil {
				return enrollment.ByReceipt(enrollment.Receipt{}) // there is none
			}
			return enrollment.ByReceipt(ok.Receipt)
		},
		says: func(c enrollment.Change) bool { return slices.Contains(c.Receipts, enrollment.FactorRecovery) },
	},
	"reauth": {
		proof: func(*State) enrollment.Proof { return enrollment.ByReauth("password") },
		says:  func(c enrollment.Change) bool { return c.Reauth },
	},
	"nothing": {
		proof: func(*State) enrollment.Proof { return enrollment.Proof{} },
		says:  func(enrollment.Change) bool { return false },
	},
}

// unspent is the second recovery code of the account, whose first one is spent.
func (s *State) unspent() string {
	if len(s.System) > 0 {
		return s.System[1]
	}
	if len(s.Codes) > 1 {
		return s.Codes[1]
	}
	return s.Unknown()
}

// hindrances are what can stand in the way in a state.
var hindrances = map[string]func(s *State){
	"none":        func(*State) {},
	"reauth":      func(s *State) { s.Configure(func(c *enrollment.Config) { c.ReauthDisables = true }) },
	"unproven":    func(s *State) { s.Configure(func(c *enrollment.Config) { c.UnprovenSetup = true }) },
	"keeps codes": func(s *State) { s.Configure(func(c *enrollment.Config) { c.KeepCodes = true }) },
	"no sender":   func(s *State) { s.Configure(func(c *enrollment.Config) { c.Sender = nil }) },
	"full":        func(s *State) { s.Configure(func(c *enrollment.Config) { c.MaxAuthenticators = 2 }) },
	"app locked":  guesses(func(s *State) string { return s.Wrong() }),
	"recovery locked": guesses(func(s *State) string {
		if len(s.System) > 0 {
			return "zzzz-zzzz"
		}
		return s.Unknown()
	}),
	"paused": func(s *State) {
		_, _ = s.Guard.Messages().Bind(s.t.Context(), User, enrollment.BindOptions{
			Channel: "sms", To: "+43 1 000 43", Proof: s.toAdd(),
		})
	},
	"sets": func(s *State) {
		for range 6 {
			renewed, err := s.Guard.RenewCodes(s.t.Context(), User, enrollment.ByReceipt(s.Receipt))
			if err == nil {
				s.Receipt, s.Codes = renewed.Receipt, renewed.Codes.Reveal()
				s.System = nil
			}
		}
	},
}

// toAdd is a proof for a further factor, or for the first one.
func (s *State) toAdd() enrollment.Proof {
	if !s.Status(User).Enabled() {
		return enrollment.ByReauth("password")
	}
	return enrollment.ByReceipt(s.Receipt)
}

func guesses(wrong func(s *State) string) func(s *State) {
	return func(s *State) {
		for range 5 {
			_, _ = s.Guard.Verify(s.t.Context(), User, "x", wrong(s))
		}
	}
}

// Status says that a change is possible by a proof if and only if the change is not
// denied then: in every state, and with everything that can stand in the way.
func TestStatusSaysWhatIsPossible(t *testing.T, open proving.Open) {
	for name, kind := range changes {
		if _, ok := proofTable(t)[name]; !ok || operations[name].call == nil {
			t.Errorf("%s (%s) is no change that takes a proof", name, kind)
		}
	}
	for name := range proofTable(t) {
		if _, ok := changes[name]; !ok && name != "RenewCodesOnce" { // the same change as RenewCodes
			t.Errorf("Status does not say whether %s is possible", name)
		}
	}
	all := []string{
		"none", "pending", "confirmed", "kept", "addressed", "ticketed", "imported",
		"staged", "replacing", "locked", "disabled", "replenished", "asked", "trusted", "bypassed", "exempt", "binding", "sent", "alone", "token staged", "token",
	}
	if testing.Short() {
		all = all[:7]
	}
	for _, state := range all {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			from, open := New(t, state, recovery.Fast), proving.OneAfterAnother(t, open)
			yes := 0
			for hindrance, hinder := range hindrances {
				for operation, kind := range changes {
					for attempt, x := range attempts {
						s := from.On(t, open)
						hinder(s)
						proof := x.proof(s)
						status := s.Status(User)
						c, says := status.Change(kind)
						needs := len(c.Codes)+len(c.Receipts) > 0 || c.Reauth || status.Enabled()
						says = says && !c.Ticket && (!needs || x.says(c))
						err := operations[operation].call(s, proof)
						switch proving.ReasonOf(err) {
						case enrollment.ReasonProofStale, enrollment.ReasonProofInvalid, enrollment.ReasonReplayed:
							continue // the proof itself is not good
						}
						if says != (err == nil) {
							t.Errorf("%s, %s, %s: Status says %t (%+v), and the answer is %v", hindrance, operation, attempt, says, c, err)
						}
						if says {
							yes++
						}
					}
				}
			}
			if yes == 0 && state != "ticketed" {
				t.Error("nothing is possible at all")
			}
		})
	}
}

// An account with an address alone is changed by its recovery codes.
func TestStatusOfAnAddressAlone(t *testing.T, open proving.Open) {
	open = proving.OneAfterAnother(t, open)
	for name, kind := range changes {
		for attempt, by := range map[string]string{"recovery code": "code", "recovery receipt": "receipt", "nothing": ""} {
			s := tabledAlone(t, open, "alone", needs{})
			s.Codes = append([]string{""}, s.Codes...)
			proof := attempts[attempt].proof(s)
			c, says := s.Status(User).Change(kind)
			says = says && attempts[attempt].says(c)
			err := operations[name].call(s, proof)
			if says != (err == nil) {
				t.Errorf("%s by %s: Status says %t (%+v), and the answer is %v", name, by, says, c, err)
			}
		}
	}
}

// NextMessage is when a message can be sent: after the pause, on the next day, and
// not while delivered codes are locked.
func TestStatusSaysWhenToSend(t *testing.T, open proving.Open) {
	s := tabled(t, open, "confirmed", needs{})
	ctx := t.Context()
	send := func() error {
		d, err := s.Guard.Messages().Send(ctx, enrollment.PurposeSignIn, s.Kit.Challenge(User))
		if err == nil && d.Earlier {
			err = errors.New("nothing is sent")
		}
		return err
	}
	for range enrollment.DefaultMaxMessages {
		status := s.Status(User)
		if _, ok := status.Change(enrollment.ChangeBind); !ok && status.NextMessage.IsZero() {
			t.Error("an address can't be bound, and Status does not say when")
		}
		if at := status.NextMessage; !at.IsZero() {
			if err := send(); err == nil {
				t.Error("a message is sent before NextMessage")
			}
			s.Pass(at.Sub(s.Now()))
		}
		if err := send(); err != nil {
			t.Fatalf("at NextMessage: %v", err)
		}
		if s.Status(User).NextMessage.IsZero() {
			t.Fatal("there is no pause")
		}
	}
}
