package siege

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

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

// renew makes new recovery codes, and asks for them again where the answer was lost. What
// each of these begins, another node goes on with.
func (s *siege) renew(node int, id string) {
	begun := s.until(node, Request{Do: prepare, User: id})
	if begun.Reason != "" {
		s.refused(Failed, id, "PrepareRenewal", begun.Reason)
		return
	}
	// The code is one of the next step, so that nobody else uses it. The first node, whose
	// clock is behind, does not take it yet.
	node %= len(s.nodes)
	done := s.among(Request{Do: renew, User: id, Token: begun.Token, Code: s.shown(id, 1).text}, 1+node%2, 2-node%2)
	if done.Reason == enrollment.ReasonAlreadyRenewed { // the answer was lost
		done = s.until(0, Request{Do: renewalCodes, User: id, Token: begun.Token})
	}
	if done.Reason != "" {
		s.refused(Failed, id, "RenewCodesOnce", done.Reason)
		return
	}
	if len(done.Codes) == 0 {
		s.find(Failed, "%s: RenewCodesOnce: no codes", id)
	}
	u := s.know(id)
	u.codes, u.spent = done.Codes, nil
	s.ack(renew)
	s.owe(id, enrollment.EventCodesRenewed)
}

// guess types wrong codes at all nodes at once until the lock closes, and reports whether it
// does. No more than five may be evaluated.
func (s *siege) guess(node int, id string) bool {
	wrong := proving.WrongCode(s.clock.Now(), s.know(id).key)
	var evaluated, open atomic.Int64
	var all sync.WaitGroup
	for first := range s.nodes {
		all.Go(func() {
			for node := first; ; node++ {
				reason := s.until(node, Request{Do: verify, User: id, Code: wrong}).Reason
				if reason == enrollment.ReasonLocked {
					return
				}
				if n := evaluated.Add(1); reason != enrollment.ReasonWrongCode || n > 5 {
					s.refused(Guesses, id, fmt.Sprint("wrong code ", n), reason)
					open.Add(1)
					return
				}
			}
		})
	}
	if all.Wait(); open.Load() > 0 {
		return false
	}
	s.ack(lock)
	s.owe(id, enrollment.EventLocked)
	s.locked(node, id)
	return true
}

// locked sees that an account is locked: not even the right code is evaluated.
func (s *siege) locked(node int, id string) {
	if reason := s.until(node, Request{Do: verify, User: id, Code: s.shown(id, 0).text}).Reason; reason != enrollment.ReasonLocked {
		s.refused(Opened, id, "the right code of a locked account", reason)
	}
}

// change signs in and switches the second factor off, or switches it on. What was
// acknowledged stays.
func (s *siege) change(node int, id string) {
	s.check(node, id)
	u := s.know(id)
	if u.state != store.Confirmed {
		s.enrol(node+1, id)
		return
	}
	c := s.shown(id, 0)
	s.right(c, s.use(s.until, node+1, c), true)
	reason := s.until(node+2, Request{Do: disable, User: id}).Reason
	if reason != "" && reason != enrollment.ReasonNotEnrolled { // it is off, and the answer was lost
		s.refused(Failed, id, "Disable", reason)
		return
	}
	u.state = store.Disabled
	s.ack(disable)
	s.owe(id, enrollment.EventDisabled)
	s.check(node, id)
}

// enrol sets an app up, and asks for it again where the answer was lost. What each of these
// begins, another node goes on with.
func (s *siege) enrol(node int, id string) {
	begun := s.until(node, Request{Do: begin, User: id})
	if begun.Reason != "" {
		s.refused(Failed, id, "Begin", begun.Reason)
		return
	}
	key, _, err := totp.ParseURI(begun.URI)
	if err != nil {
		s.miss("%s: %v", id, err)
		return
	}
	done := s.until(node+1, Request{Do: confirm, User: id, Token: begun.Token, Code: proving.Shown(key, s.clock.Now())})
	if done.Reason == enrollment.ReasonAlreadyConfirmed { // the answer was lost
		done = s.until(node+2, Request{Do: setupCodes, User: id, Token: begun.Token})
	}
	if done.Reason != "" {
		s.refused(Failed, id, "Confirm", done.Reason)
		return
	}
	if len(done.Codes) == 0 {
		s.find(Failed, "%s: Confirm: no codes", id)
	}
	*s.know(id) = account{key: key, codes: done.Codes, state: store.Confirmed}
	s.ack(confirm)
	s.owe(id, enrollment.EventEnabled)
}

// check looks whether the account is as its owner was told. The owner goes on with what is
// there, so that a loss is found once.
func (s *siege) check(node int, id string) {
	u := s.know(id)
	a := s.until(node, Request{Do: status, User: id})
	if a.Reason == "" && a.State != u.state {
		s.find(Undone, "%s: the account is %v, and its owner was told %v", id, a.State, u.state)
		u.state = a.State
	} else if a.Reason != "" {
		s.refused(Failed, id, "Status", a.Reason)
	}
}
