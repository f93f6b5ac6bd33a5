package siege

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// try calls f once, with a while to answer, and notes its outcome.
func (s *siege) try(f func(ctx context.Context) error) enrollment.Reason {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	reason := proving.ReasonOf(f(ctx))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[string(reason)]++
	return reason
}

// patience is how long a database may be away.
const patience = 3 * time.Minute

// until calls f until the database answers.
func (s *siege) until(f func(ctx context.Context) error) enrollment.Reason {
	for began := time.Now(); ; {
		reason := s.try(f)
		if reason != proving.Fault {
			return reason
		}
		if time.Since(began) > patience {
			s.fault("the database is away for %v", patience)
			return reason
		}
		time.Sleep(10 * time.Millisecond) // it comes back
	}
}

// know returns what the owner of an account knows of it.
func (s *siege) know(id string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.known[id]
	if u == nil {
		u = new(account)
		s.known[id] = u
	}
	return u
}

// code is what the user's app shows some steps from now.
func (s *siege) code(id string, steps int) string {
	return proving.Shown(s.know(id).key, s.clock.Now().Add(time.Duration(steps)*30*time.Second))
}

// An asking calls f once, as try does, or until the database answers.
type asking func(f func(ctx context.Context) error) enrollment.Reason

// accept uses a code at a node, after a sign-in or for a user who is signed in, and
// notes that it was accepted.
func (s *siege) accept(ask asking, node int, id, code string, kind operation, name string) enrollment.Reason {
	g := s.nodes[node%len(s.nodes)]
	way := verify
	if node%2 != 0 {
		way = signIn
	}
	reason := ask(func(ctx context.Context) error {
		if way == verify {
			_, err := g.Verify(ctx, id, "siege", code)
			return err
		}
		d, err := g.SignIn(ctx, id, enrollment.SignInOptions{})
		if err == nil {
			_, err = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, code)
		}
		return err
	})
	if reason == "" {
		s.ack(way, kind)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.accepted[id+" "+name]++
	}
	return reason
}

// used looks whether a right code was accepted when it was used, or before.
func (s *siege) used(id string, reason enrollment.Reason) {
	if reason != "" && reason != enrollment.ReasonReplayed {
		s.fault("%s: a right code: %q", id, reason)
	}
}

// appCode uses what the user's app shows some steps from now.
func (s *siege) appCode(ask asking, node int, id string, steps int) enrollment.Reason {
	return s.accept(ask, node, id, s.code(id, steps), appCode, fmt.Sprint("step ", s.clock.Now().Unix()/30+int64(steps)))
}

func (s *siege) recoveryCode(ask asking, node int, id, code string) enrollment.Reason {
	reason := s.accept(ask, node, id, code, recoveryCode, "recovery code "+code)
	if reason == "" {
		s.owe(id, enrollment.EventRecoveryUsed)
	}
	return reason
}

// spend takes the next of the user's recovery codes from the sheet.
func (s *siege) spend(id string) string {
	u := s.know(id)
	if len(u.codes) == 0 {
		s.fault("%s has no recovery code left", id)
		return ""
	}
	code := u.codes[0]
	u.codes = u.codes[1:]
	return code
}

// renew makes new recovery codes, and asks for them again where the answer was lost.
func (s *siege) renew(id string) {
	g := s.nodes[1]
	var token enrollment.RenewalToken
	reason := s.until(func(ctx context.Context) (err error) { token, err = g.PrepareRenewal(ctx, id); return err })
	var codes recovery.Codes
	if reason == "" {
		reason = s.until(func(ctx context.Context) error {
			done, err := g.RenewCodesOnce(ctx, id, token, enrollment.ByCode(s.code(id, 1)))
			codes = done.Codes
			return err
		})
	}
	if reason == enrollment.ReasonAlreadyRenewed { // the answer was lost
		reason = s.until(func(ctx context.Context) (err error) { codes, err = g.RenewalCodes(ctx, id, token); return err })
	}
	if reason != "" || codes.Len() == 0 {
		s.fault("%s: RenewCodesOnce: %q, %d codes", id, reason, codes.Len())
		return
	}
	s.know(id).codes = codes.Reveal()
	s.ack(renewal)
	s.owe(id, enrollment.EventCodesRenewed)
}

// guess types wrong codes until the lock closes. No more than five may be evaluated,
// and then not even the right one.
func (s *siege) guess(id string) {
	wrong := proving.WrongCode(s.clock.Now(), s.know(id).key)
	evaluated := 0
	for i := 0; ; i++ {
		reason := s.until(func(ctx context.Context) error {
			_, err := s.nodes[i%len(s.nodes)].Verify(ctx, id, "siege", wrong)
			return err
		})
		if reason == enrollment.ReasonLocked {
			break
		}
		if evaluated++; reason != enrollment.ReasonWrongCode || evaluated > 5 {
			s.fault("%s: wrong code %d: %q", id, evaluated, reason)
			return
		}
	}
	s.ack(lock)
	s.locked(id)
}

// locked sees that an account is locked: not even the right code is evaluated.
func (s *siege) locked(id string) {
	if reason := s.until(func(ctx context.Context) error {
		_, err := s.nodes[0].Verify(ctx, id, "siege", s.code(id, 0))
		return err
	}); reason != enrollment.ReasonLocked {
		s.fault("%s: the right code of a locked account: %q", id, reason)
	}
}

// change signs in and switches the second factor off, or switches it on. What was
// acknowledged stays.
func (s *siege) change(id string) {
	s.check(id)
	u := s.know(id)
	if u.state != store.Confirmed {
		s.enrol(id)
		return
	}
	s.used(id, s.appCode(s.until, 1, id, 0))
	proof := enrollment.ByReauth("password")
	reason := s.until(func(ctx context.Context) error { return s.nodes[1].Disable(ctx, id, proof) })
	if reason != "" && reason != enrollment.ReasonNotEnrolled { // it is off, and the answer was lost
		s.fault("%s: Disable: %q", id, reason)
		return
	}
	u.state = store.Disabled
	s.ack(disabling)
	s.owe(id, enrollment.EventDisabled)
	s.check(id)
}

// enrol sets an app up, and asks for it again where the answer was lost.
func (s *siege) enrol(id string) {
	g := s.nodes[2]
	var begun enrollment.Setup
	if reason := s.until(func(ctx context.Context) (err error) {
		begun, err = g.Begin(ctx, id, enrollment.BeginOptions{Account: id, Proof: enrollment.ByReauth("password")})
		return err
	}); reason != "" {
		s.fault("%s: Begin: %q", id, reason)
		return
	}
	key, _, err := totp.ParseURI(begun.URI())
	if err != nil {
		s.fault("%s: %v", id, err)
		return
	}
	var codes recovery.Codes
	reason := s.until(func(ctx context.Context) error {
		done, err := g.Confirm(ctx, id, begun.Token, proving.Shown(key, s.clock.Now()))
		codes = done.Codes
		return err
	})
	if reason == enrollment.ReasonAlreadyConfirmed { // the answer was lost
		reason = s.until(func(ctx context.Context) (err error) { codes, err = g.SetupCodes(ctx, id, begun.Token); return err })
	}
	if reason != "" || codes.Len() == 0 {
		s.fault("%s: Confirm: %q, %d codes", id, reason, codes.Len())
		return
	}
	*s.know(id) = account{key, codes.Reveal(), store.Confirmed}
	s.ack(setup)
	s.owe(id, enrollment.EventEnabled)
}

func (s *siege) state(id string) (state store.State) {
	s.until(func(ctx context.Context) error {
		status, err := s.nodes[0].Status(ctx, id)
		state = status.State
		return err
	})
	return state
}

// check looks whether the account is as its owner was told. The owner goes on with what is
// there, so that a loss is found once.
func (s *siege) check(id string) {
	u := s.know(id)
	if state := s.state(id); state != u.state {
		s.fault("%s: the account is %v, and its owner was told %v", id, state, u.state)
		u.state = state
	}
}
