package states

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// An operation is a row of the tables.
type operation struct {
	needs
	wait time.Duration // from the state to the call
	call func(s *State, p enrollment.Proof) error
}

// ready lets the time pass that the operation has to wait for.
func (o operation) ready(s *State) *State {
	s.Pass(o.wait)
	return s
}

// caller is the context of who calls the operation.
func (s *State) caller() context.Context {
	if s.ctx != nil {
		return s.ctx
	}
	return s.t.Context()
}

func trustDevice(s *State) {
	var err error
	s.Device, err = s.Guard.Devices().Trust(s.t.Context(), User, s.Receipt, "laptop")
	s.Must(err)
}

// AddToken replaces the second app of an account, if it has one, by a hardware token.
func AddToken(s *State) {
	if s.App.IsZero() {
		return
	}
	second := s.Status(User).Authenticators[1].ID
	setup, token := s.Begin(User, enrollment.BeginOptions{
		HardwareToken: s.Hardware(), Replace: second, Proof: enrollment.ByReceipt(s.Receipt),
	})
	done, err := s.Guard.Confirm(s.t.Context(), User, setup.Token, s.Code(token))
	s.Must(err)
	s.Second, s.SecondID, s.Receipt = token, s.hardwareID(), done.Success.Receipt
	s.Challenge = s.Kit.Challenge(User)
	s.tick()
}

func askReset(s *State) {
	_, err := s.Guard.ResetRequests().Open(s.t.Context(), s.Challenge)
	s.Must(err)
	s.tick()
}

// theirs is what another system has of the user.
func (s *State) theirs() enrollment.Import {
	secret, err := totp.NewSecret([]byte("a secret of another system"))
	s.Must(err)
	key, err := totp.NewKey(secret, totp.Params{})
	s.Must(err)
	return enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
}

// Operations are the names of the rows of the table of states, sorted.
func Operations() []string { return slices.Sorted(maps.Keys(operations)) }

// operations are the rows of the table of states. Those that take a proof
// are also the rows of the table of proofs.
var operations = map[string]operation{
	"Begin": {call: func(s *State, p enrollment.Proof) error {
		_, err := s.Guard.Begin(s.caller(), User, enrollment.BeginOptions{Account: "a", Proof: p})
		return err
	}},
	"Begin+Replace": {call: func(s *State, p enrollment.Proof) error {
		_, err := s.Guard.Begin(s.caller(), User, enrollment.BeginOptions{Account: "a", Proof: p, Replace: s.authenticator()})
		return err
	}},
	"Begin+HardwareToken": {call: func(s *State, p enrollment.Proof) error {
		o := enrollment.BeginOptions{HardwareToken: s.Hardware(), Proof: p}
		_, err := s.Guard.Begin(s.caller(), User, o)
		return err
	}},
	"Resume": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.Resume(s.caller(), User, s.Token)
		return err
	}},
	"Confirm": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.Confirm(s.caller(), User, s.Token, s.code(s.Waits))
		return err
	}},
	"Cancel": {call: func(s *State, _ enrollment.Proof) error { return s.Guard.Cancel(s.caller(), User) }},
	"SignIn": {call: func(s *State, _ enrollment.Proof) error {
		d, err := s.Guard.SignIn(s.caller(), User, enrollment.SignInOptions{})
		want := enrollment.Proceed
		if s.Name == "confirmed" || s.Name == "staged" || s.Name == "alone" {
			want = enrollment.AskCode
		}
		if err == nil && d.Next != want {
			s.t.Errorf("SignIn says %v, want %v", d.Next, want)
		}
		return err
	}},
	"SignIn+Import": {call: func(s *State, _ enrollment.Proof) error {
		im := s.theirs()
		d, err := s.Guard.SignIn(s.caller(), User, enrollment.SignInOptions{Import: &im})
		want := enrollment.AskCode
		if s.Name == "disabled" {
			want = enrollment.Proceed // what was taken away here does not come back
		}
		if err == nil && d.Next != want {
			s.t.Errorf("SignIn says %v, want %v", d.Next, want)
		}
		return err
	}},
	"Answer": {call: func(s *State, _ enrollment.Proof) error {
		code := s.code(s.App)
		if s.Name == "alone" {
			s.Challenge = s.deliver()
			code = s.Message
		}
		_, err := s.Guard.Answer(s.caller(), enrollment.PurposeSignIn, s.Challenge, code)
		return err
	}},
	"Verify": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.Verify(s.caller(), User, "step-up", s.right())
		return err
	}},
	"RecentlyVerified": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.RecentlyVerified(s.caller(), User, "step-up", s.Receipt, time.Hour)
		return err
	}},
	"RenewCodes": {call: func(s *State, p enrollment.Proof) error {
		_, err := s.Guard.RenewCodes(s.caller(), User, p)
		return err
	}},
	"PrepareRenewal": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.PrepareRenewal(s.caller(), User)
		return err
	}},
	"RenewCodesOnce": {call: func(s *State, p enrollment.Proof) error {
		token, err := s.Guard.PrepareRenewal(s.caller(), User)
		if err == nil {
			_, err = s.Guard.RenewCodesOnce(s.caller(), User, token, p)
		}
		return err
	}},
	"SetupCodes": {needs: needs{prepare: showAgain}, call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.SetupCodes(s.caller(), User, s.Shown)
		return err
	}},
	"RenewalCodes": {needs: needs{prepare: renewOnce}, call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.RenewalCodes(s.caller(), User, s.Renewal)
		return err
	}},
	"NewCode": {needs: needs{adjust: proving.ReplenishCodes, prepare: ReplaceCode}, call: func(s *State, _ enrollment.Proof) error {
		_, _, err := s.Guard.NewCode(s.caller(), "step-up", s.Replaced, s.ReplacedCode)
		return err
	}},
	"RecoveryCodes": {needs: needs{adjust: func(c *enrollment.Config) { c.KeepCodes = true }}, call: func(s *State, p enrollment.Proof) error {
		_, err := s.Guard.RecoveryCodes(s.caller(), User, p)
		return err
	}},
	"Remove": {call: func(s *State, p enrollment.Proof) error {
		return s.Guard.Remove(s.caller(), User, s.authenticator(), p)
	}},
	"Disable": {call: func(s *State, p enrollment.Proof) error {
		return s.Guard.Disable(s.caller(), User, p)
	}},
	"Rename": {call: func(s *State, _ enrollment.Proof) error {
		return s.Guard.Rename(s.caller(), User, s.authenticator(), "work phone")
	}},
	"Status": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.Status(s.caller(), User)
		return err
	}},

	"ThreeCodes.Answer": {wait: 2 * time.Minute, call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.ThreeCodes().Answer(s.caller(), enrollment.PurposeSignIn, s.Challenge, s.three())
		return err
	}},
	"ThreeCodes.Verify": {wait: 2 * time.Minute, call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.ThreeCodes().Verify(s.caller(), User, "step-up", s.three())
		return err
	}},
	"ThreeCodes.Resynchronize": {needs: needs{prepare: AddToken}, wait: 10 * time.Second, call: func(s *State, p enrollment.Proof) error {
		codes := proving.Three(s.Hardware(), s.Now().Add(4*time.Minute))
		return s.Guard.ThreeCodes().Resynchronize(s.caller(), User, s.hardwareID(), codes, p)
	}},

	"Devices.Trust": {call: func(s *State, _ enrollment.Proof) error {
		trusted, err := s.Guard.Devices().Trust(s.caller(), User, s.Receipt, "phone")
		s.Device = trusted
		return err
	}},
	"Devices.List": {needs: needs{prepare: trustDevice}, call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.Devices().List(s.caller(), User)
		return err
	}},
	"Devices.Rename": {needs: needs{prepare: trustDevice}, call: func(s *State, _ enrollment.Proof) error {
		return s.Guard.Devices().Rename(s.caller(), User, s.Device.Device.ID, "home")
	}},
	"Devices.Revoke": {needs: needs{prepare: trustDevice}, call: func(s *State, _ enrollment.Proof) error {
		return s.Guard.Devices().Revoke(s.caller(), User, s.Device.Device.ID)
	}},
	"Devices.RevokeAll": {needs: needs{prepare: trustDevice}, call: func(s *State, _ enrollment.Proof) error {
		return s.Guard.Devices().RevokeAll(s.caller(), User)
	}},

	"Messages.Bind": {call: func(s *State, p enrollment.Proof) error {
		_, err := s.Guard.Messages().Bind(s.caller(), User, enrollment.BindOptions{Channel: "email", To: "alice@example.com", Proof: p})
		return err
	}},
	"Messages.Confirm": {
		needs: needs{prepare: func(s *State) { s.bind(enrollment.ByReceipt(s.Receipt)) }},
		call: func(s *State, _ enrollment.Proof) error {
			_, err := s.Guard.Messages().Confirm(s.caller(), User, s.Binding, s.Message)
			return err
		},
	},
	"Messages.Send": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.Messages().Send(s.caller(), enrollment.PurposeSignIn, s.Challenge)
		return err
	}},
	"Messages.Unbind": {call: func(s *State, p enrollment.Proof) error {
		return s.Guard.Messages().Unbind(s.caller(), User, p)
	}},

	"ResetRequests.Open": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.Guard.ResetRequests().Open(s.caller(), s.Challenge)
		return err
	}},
	"ResetRequests.Cancel": {needs: needs{prepare: askReset}, call: func(s *State, _ enrollment.Proof) error {
		return s.Guard.ResetRequests().Cancel(s.caller(), User)
	}},

	"Admin.Reset": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.admin().Reset(s.caller(), User, enrollment.ResetOptions{})
		return err
	}},
	"Admin.ApproveReset": {
		// A setup is begun just after the request, and has not expired when that
		// has matured.
		needs: needs{adjust: func(c *enrollment.Config) { c.SetupTTL = 24 * time.Hour }, prepare: askReset},
		wait:  24*time.Hour - 10*time.Second,
		call: func(s *State, _ enrollment.Proof) error {
			_, err := s.admin().ApproveReset(s.caller(), User, enrollment.ResetOptions{})
			return err
		},
	},
	"Admin.RefuseReset": {needs: needs{prepare: askReset}, call: func(s *State, _ enrollment.Proof) error {
		return s.admin().RefuseReset(s.caller(), User)
	}},
	"Admin.Unlock": {call: func(s *State, _ enrollment.Proof) error {
		return s.admin().Unlock(s.caller(), User)
	}},
	"Admin.Bypass": {call: func(s *State, _ enrollment.Proof) error {
		return s.admin().Bypass(s.caller(), User, s.Now().Add(time.Hour))
	}},
	"Admin.Import": {call: func(s *State, _ enrollment.Proof) error {
		return s.admin().Import(s.caller(), User, s.theirs())
	}},
	"Admin.Export": {call: func(s *State, _ enrollment.Proof) error {
		_, err := s.admin().Export(s.caller(), User)
		return err
	}},
	"Admin.Move": {call: func(s *State, _ enrollment.Proof) error {
		return s.admin().Move(s.caller(), User, "alice.smith")
	}},
	"Admin.Erase": {call: func(s *State, _ enrollment.Proof) error {
		return s.admin().Erase(s.caller(), User)
	}},
}
