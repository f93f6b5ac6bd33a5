package siege

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Deadline is how long a request may take.
const Deadline = 30 * time.Second

// try asks a node once, with a while to answer, and notes the outcome.
func (s *siege) try(node int, r Request) Reply {
	ctx, cancel := context.WithTimeout(context.Background(), Deadline)
	defer cancel()
	node %= len(s.nodes)
	r.At = s.clock.Now().Add(offsets[node])
	a, err := s.nodes[node](ctx, r)
	if err != nil {
		a = Reply{Reason: proving.Fault}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[string(a.Reason)]++
	return a
}

// patience is how long a database may be away.
const patience = 3 * time.Minute

// until asks a node until there is an answer.
func (s *siege) until(node int, r Request) Reply {
	for began := time.Now(); ; {
		a := s.try(node, r)
		if a.Reason != proving.Fault {
			return a
		}
		if time.Since(began) > patience {
			s.fault("the database is away for %v", patience)
			return a
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

// An asking asks a node once, as try does, or until there is an answer.
type asking func(node int, r Request) Reply

// accept uses a code at a node, after a sign-in or for a user who is signed in, and
// notes that it was accepted.
func (s *siege) accept(ask asking, node int, id, code string, kind Deed, name string) enrollment.Reason {
	way := verify
	if node%2 != 0 {
		way = signIn
	}
	reason := ask(node, Request{Do: way, User: id, Code: code}).Reason
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
	return s.accept(ask, node, id, code, recoveryCode, "recovery code "+code)
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
	const node = 1
	begun := s.until(node, Request{Do: prepare, User: id})
	if begun.Reason != "" {
		s.fault("%s: PrepareRenewal: %q", id, begun.Reason)
		return
	}
	done := s.until(node, Request{Do: renew, User: id, Token: begun.Token, Code: s.code(id, 1)})
	if done.Reason == enrollment.ReasonAlreadyRenewed { // the answer was lost
		done = s.until(node, Request{Do: renewalCodes, User: id, Token: begun.Token})
	}
	if done.Reason != "" || len(done.Codes) == 0 {
		s.fault("%s: RenewCodesOnce: %q, %d codes", id, done.Reason, len(done.Codes))
		return
	}
	s.know(id).codes = done.Codes
	s.ack(renew)
	s.owe(id, enrollment.EventCodesRenewed)
}

// guess types wrong codes until the lock closes. No more than five may be evaluated,
// and then not even the right one.
func (s *siege) guess(id string) {
	wrong := proving.WrongCode(s.clock.Now(), s.know(id).key)
	evaluated := 0
	for node := 0; ; node++ {
		reason := s.until(node, Request{Do: verify, User: id, Code: wrong}).Reason
		if reason == enrollment.ReasonLocked {
			break
		}
		if evaluated++; reason != enrollment.ReasonWrongCode || evaluated > 5 {
			s.fault("%s: wrong code %d: %q", id, evaluated, reason)
			return
		}
	}
	s.ack(lock)
	s.owe(id, enrollment.EventLocked)
	s.locked(id)
}

// locked sees that an account is locked: not even the right code is evaluated.
func (s *siege) locked(id string) {
	if reason := s.until(0, Request{Do: verify, User: id, Code: s.code(id, 0)}).Reason; reason != enrollment.ReasonLocked {
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
	reason := s.until(1, Request{Do: disable, User: id}).Reason
	if reason != "" && reason != enrollment.ReasonNotEnrolled { // it is off, and the answer was lost
		s.fault("%s: Disable: %q", id, reason)
		return
	}
	u.state = store.Disabled
	s.ack(disable)
	s.owe(id, enrollment.EventDisabled)
	s.check(id)
}

// enrol sets an app up, and asks for it again where the answer was lost.
func (s *siege) enrol(id string) {
	const node = 2
	begun := s.until(node, Request{Do: begin, User: id})
	if begun.Reason != "" {
		s.fault("%s: Begin: %q", id, begun.Reason)
		return
	}
	key, _, err := totp.ParseURI(begun.URI)
	if err != nil {
		s.fault("%s: %v", id, err)
		return
	}
	done := s.until(node, Request{Do: confirm, User: id, Token: begun.Token, Code: proving.Shown(key, s.clock.Now())})
	if done.Reason == enrollment.ReasonAlreadyConfirmed { // the answer was lost
		done = s.until(node, Request{Do: setupCodes, User: id, Token: begun.Token})
	}
	if done.Reason != "" || len(done.Codes) == 0 {
		s.fault("%s: Confirm: %q, %d codes", id, done.Reason, len(done.Codes))
		return
	}
	*s.know(id) = account{key, done.Codes, store.Confirmed}
	s.ack(confirm)
	s.owe(id, enrollment.EventEnabled)
}

// check looks whether the account is as its owner was told. The owner goes on with what is
// there, so that a loss is found once.
func (s *siege) check(id string) {
	u := s.know(id)
	if state := s.until(0, Request{Do: status, User: id}).State; state != u.state {
		s.fault("%s: the account is %v, and its owner was told %v", id, state, u.state)
		u.state = state
	}
}
