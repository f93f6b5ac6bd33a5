package enrollment_test

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A sceneOperation is a row of the tables.
type sceneOperation struct {
	config  enrollment.Config
	prepare func(s *scene) // of a confirmed account, so that there is something to do
	wait    time.Duration  // from the state to the call
	call    func(s *scene, p enrollment.Proof) error
}

// ready lets the time pass that the operation has to wait for.
func (o sceneOperation) ready(s *scene) *scene {
	s.now = s.now.Add(o.wait)
	return s
}

func trustDevice(s *scene) {
	var err error
	s.device, err = s.guard.Devices().Trust(s.t.Context(), sceneUser, s.receipt, "laptop")
	s.must(err)
}

func askReset(s *scene) {
	_, err := s.resets().Open(s.t.Context(), s.challenge)
	s.must(err)
	s.tick()
}

// sceneOperations are the rows of the table of states. Those that take a proof
// are also the rows of the table of proofs.
var sceneOperations = map[string]sceneOperation{
	"Begin": {call: func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.Begin(s.t.Context(), sceneUser, enrollment.BeginOptions{Account: "a", Proof: p})
		return err
	}},
	"Begin+Replace": {call: func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.Begin(s.t.Context(), sceneUser, enrollment.BeginOptions{Account: "a", Proof: p, Replace: s.authenticator()})
		return err
	}},
	"Resume": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Resume(s.t.Context(), sceneUser, s.token)
		return err
	}},
	"Confirm": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Confirm(s.t.Context(), sceneUser, s.token, s.code(s.waits))
		return err
	}},
	"Cancel": {call: func(s *scene, _ enrollment.Proof) error { return s.guard.Cancel(s.t.Context(), sceneUser) }},
	"SignIn": {call: func(s *scene, _ enrollment.Proof) error {
		d, err := s.guard.SignIn(s.t.Context(), sceneUser, enrollment.SignInOptions{})
		want := enrollment.Proceed
		if s.state == "confirmed" || s.state == "staged" || s.state == "alone" {
			want = enrollment.AskCode
		}
		if d.Next != want {
			s.t.Errorf("SignIn says %v, want %v", d.Next, want)
		}
		return err
	}},
	"Answer": {call: func(s *scene, _ enrollment.Proof) error {
		code := s.code(s.app)
		if s.state == "alone" {
			s.challenge = s.deliver()
			code = s.sent
		}
		_, err := s.guard.Answer(s.t.Context(), enrollment.PurposeSignIn, s.challenge, code)
		return err
	}},
	"Verify": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Verify(s.t.Context(), sceneUser, "step-up", s.right())
		return err
	}},
	"RecentlyVerified": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.RecentlyVerified(s.t.Context(), sceneUser, "step-up", s.receipt, time.Hour)
		return err
	}},
	"RenewCodes": {call: func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.RenewCodes(s.t.Context(), sceneUser, p)
		return err
	}},
	"RecoveryCodes": {config: enrollment.Config{KeepCodes: true}, call: func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.RecoveryCodes(s.t.Context(), sceneUser, p)
		return err
	}},
	"Remove": {call: func(s *scene, p enrollment.Proof) error {
		return s.guard.Remove(s.t.Context(), sceneUser, s.authenticator(), p)
	}},
	"Disable": {call: func(s *scene, p enrollment.Proof) error {
		return s.guard.Disable(s.t.Context(), sceneUser, p)
	}},
	"Status": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Status(s.t.Context(), sceneUser)
		return err
	}},

	"Devices.Trust": {call: func(s *scene, _ enrollment.Proof) error {
		trusted, err := s.guard.Devices().Trust(s.t.Context(), sceneUser, s.receipt, "phone")
		s.device = trusted
		return err
	}},
	"Devices.List": {prepare: trustDevice, call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Devices().List(s.t.Context(), sceneUser)
		return err
	}},
	"Devices.Revoke": {prepare: trustDevice, call: func(s *scene, _ enrollment.Proof) error {
		return s.guard.Devices().Revoke(s.t.Context(), sceneUser, s.device.Device.ID)
	}},
	"Devices.RevokeAll": {prepare: trustDevice, call: func(s *scene, _ enrollment.Proof) error {
		return s.guard.Devices().RevokeAll(s.t.Context(), sceneUser)
	}},

	"Messages.Bind": {call: func(s *scene, p enrollment.Proof) error {
		_, err := s.messages().Bind(s.t.Context(), sceneUser, enrollment.BindOptions{Channel: "email", To: "alice@example.com", Proof: p})
		return err
	}},
	"Messages.Confirm": {
		prepare: func(s *scene) { s.bind(enrollment.ByReceipt(s.receipt)) },
		call: func(s *scene, _ enrollment.Proof) error {
			_, err := s.messages().Confirm(s.t.Context(), sceneUser, s.binding, s.sent)
			return err
		},
	},
	"Messages.Send": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.messages().Send(s.t.Context(), enrollment.PurposeSignIn, s.challenge)
		return err
	}},
	"Messages.Unbind": {call: func(s *scene, p enrollment.Proof) error {
		return s.messages().Unbind(s.t.Context(), sceneUser, p)
	}},

	"ResetRequests.Open": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.resets().Open(s.t.Context(), s.challenge)
		return err
	}},
	"ResetRequests.Cancel": {prepare: askReset, call: func(s *scene, _ enrollment.Proof) error {
		return s.resets().Cancel(s.t.Context(), sceneUser)
	}},

	"Admin.Reset": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.admin().Reset(s.t.Context(), sceneUser, enrollment.ResetOptions{})
		return err
	}},
	"Admin.ApproveReset": {
		// A setup is begun just after the request, and has not expired when that
		// has matured.
		config:  enrollment.Config{SetupTTL: enrollment.MaxSetupTTL},
		prepare: askReset,
		wait:    enrollment.MinResetWait - 10*time.Second,
		call: func(s *scene, _ enrollment.Proof) error {
			_, err := s.admin().ApproveReset(s.t.Context(), sceneUser, enrollment.ResetOptions{})
			return err
		},
	},
	"Admin.RefuseReset": {prepare: askReset, call: func(s *scene, _ enrollment.Proof) error {
		return s.admin().RefuseReset(s.t.Context(), sceneUser)
	}},
	"Admin.Unlock": {call: func(s *scene, _ enrollment.Proof) error {
		return s.admin().Unlock(s.t.Context(), sceneUser)
	}},
	"Admin.Bypass": {call: func(s *scene, _ enrollment.Proof) error {
		return s.admin().Bypass(s.t.Context(), sceneUser, s.now.Add(time.Hour))
	}},
	"Admin.Import": {call: func(s *scene, _ enrollment.Proof) error {
		secret, err := totp.NewSecret([]byte("a secret of another system"))
		s.must(err)
		key, err := totp.NewKey(secret, totp.Params{})
		s.must(err)
		return s.admin().Import(s.t.Context(), sceneUser, enrollment.Import{
			Authenticators: []enrollment.ImportedAuthenticator{{Key: key}},
		})
	}},
	"Admin.Export": {call: func(s *scene, _ enrollment.Proof) error {
		_, err := s.admin().Export(s.t.Context(), sceneUser)
		return err
	}},
	"Admin.Erase": {call: func(s *scene, _ enrollment.Proof) error {
		return s.admin().Erase(s.t.Context(), sceneUser)
	}},
}
