package siege

import (
	"context"
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

// until calls f until the database answers.
func (s *siege) until(f func(ctx context.Context) error) enrollment.Reason {
	for {
		if reason := s.try(f); reason != proving.Fault {
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

// accept uses a code at a node, and notes that it was accepted.
func (s *siege) accept(node int, id, code, name string) enrollment.Reason {
	reason := s.try(func(ctx context.Context) error {
		_, err := s.nodes[node%len(s.nodes)].Verify(ctx, id, "siege", code)
		return err
	})
	if reason == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.accepted[id+" "+name]++
	}
	return reason
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
	if reason := s.until(func(ctx context.Context) error {
		_, err := s.nodes[0].Verify(ctx, id, "siege", s.code(id, 0))
		return err
	}); reason != enrollment.ReasonLocked {
		s.fault("%s: the right code of a locked account: %q", id, reason)
	}
}

// change switches the second factor off, or on, or makes new recovery codes. What was
// acknowledged stays.
func (s *siege) change(id string) {
	s.check(id)
	u := s.know(id)
	if u.state != store.Confirmed {
		s.enrol(id)
		return
	}
	proof := enrollment.ByReauth("password")
	reason := s.try(func(ctx context.Context) error { return s.nodes[1].Disable(ctx, id, proof) })
	if reason == "" {
		u.state = store.Disabled
		s.owe(id, enrollment.EventDisabled)
	} else {
		u.state = s.state(id)
	}
	s.check(id)
}

// enrol sets an app up, and asks for it again where the answer was lost.
func (s *siege) enrol(id string) {
	g := s.nodes[2]
	var setup enrollment.Setup
	if reason := s.until(func(ctx context.Context) (err error) {
		setup, err = g.Begin(ctx, id, enrollment.BeginOptions{Account: id, Proof: enrollment.ByReauth("password")})
		return err
	}); reason != "" {
		s.fault("%s: Begin: %q", id, reason)
		return
	}
	key, _, err := totp.ParseURI(setup.URI())
	if err != nil {
		s.fault("%s: %v", id, err)
		return
	}
	var codes recovery.Codes
	reason := s.until(func(ctx context.Context) error {
		done, err := g.Confirm(ctx, id, setup.Token, proving.Shown(key, s.clock.Now()))
		codes = done.Codes
		return err
	})
	if reason == enrollment.ReasonAlreadyConfirmed { // the answer was lost
		reason = s.until(func(ctx context.Context) (err error) { codes, err = g.SetupCodes(ctx, id, setup.Token); return err })
	}
	if reason != "" || codes.Len() == 0 {
		s.fault("%s: Confirm: %q, %d codes", id, reason, codes.Len())
		return
	}
	*s.know(id) = account{key, codes.Reveal(), store.Confirmed}
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

// check looks whether the account is as its owner was told.
func (s *siege) check(id string) {
	if state, told := s.state(id), s.know(id).state; state != told {
		s.fault("%s: the account is %v, and its owner was told %v", id, state, told)
	}
}
