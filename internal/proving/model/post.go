package model

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Where messages go, and the sequences that live on them.

// A modelPost is the Sender.
type modelPost struct {
	run     *modelRun
	sent    []enrollment.Message
	fails   bool
	panics  bool
	refuses bool
	saves   int // before the operation
}

var errModelGateway = errors.New("the gateway is down")

func (p *modelPost) Send(_ context.Context, m enrollment.Message) error {
	p.sent = append(p.sent, m)
	if p.run.store.Calls(proving.Save) == p.saves {
		p.run.fatalf("a message was sent before it was counted")
	}
	switch {
	case p.panics:
		panic("oops")
	case p.refuses:
		return fmt.Errorf("%w: no such number", enrollment.ErrMessageRefused)
	case p.fails:
		return errModelGateway
	}
	return nil
}

// posted carries out what may send a message. It returns the message, and
// whether it was sent.
func (r *modelRun) posted(act func() error) (m enrollment.Message, sent bool, err error) {
	r.post.fails, r.post.panics, r.post.refuses = r.chance(8), r.chance(20), r.chance(8)
	r.post.sent, r.post.saves = nil, r.store.Calls(proving.Save)
	err = act()
	switch {
	case len(r.post.sent) == 0:
		return m, false, err
	case len(r.post.sent) > 1:
		r.fatalf("%d messages were sent at once", len(r.post.sent))
	}
	m = r.post.sent[0]
	failed := r.post.fails || r.post.panics || r.post.refuses
	r.refused = r.post.refuses && !r.post.panics
	if failed != errors.Is(err, enrollment.ErrNotSent) || r.refused != errors.Is(err, enrollment.ErrMessageRefused) ||
		r.post.fails && !r.post.panics && !r.refused && !errors.Is(err, errModelGateway) {
		r.fatalf("the sender fails: %t, and the answer is %v", failed, err)
	}
	if r.failed = failed; failed {
		err = nil // what was decided stands
	}
	return m, !failed, err
}

// arrived takes note of a message that was handed to the gateway, and checks apart from the
// model that there are not too many of them: as many as are allowed for each day that the
// clock went forward, and one a minute.
func (r *modelRun) arrived(u *modelUser, a *modelAccount, m enrollment.Message, want enrollment.Message, w *modelMessage) {
	w.digits = m.Code()
	if m.UserID != want.UserID || m.Purpose != want.Purpose || m.Channel != want.Channel || m.To != want.To || !m.Expires.Equal(want.Expires) ||
		len(w.digits) != 6 || strings.Trim(w.digits, "0123456789") != "" {
		r.fatalf("the message is to %q of %q for %q over %q, expires %v; want %q of %q for %q over %q, expires %v",
			m.To, m.UserID, m.Purpose, m.Channel, m.Expires, want.To, want.UserID, want.Purpose, want.Channel, want.Expires)
	}
	u.texts = append(u.texts, w.digits)
	u.asked = append(u.asked, r.motion)
	n, most := len(u.asked), r.limits.messages
	switch {
	case n > 1 && r.motion-u.asked[n-2]+1e-3 < 60:
		r.fatalf("two messages within %v seconds", r.motion-u.asked[n-2])
	case float64(n) > 2*float64(most)*(1+r.motion/modelDay.Seconds()):
		r.fatalf("the gateway was asked %d times within %v seconds", n, r.motion)
	}
	if r.refused && a.refused() {
		return
	}
	u.posts = append(u.posts, r.motion)
	n = len(u.posts)
	since := func(i int) float64 { return r.motion - u.posts[n-1-i] + 1e-3 }
	switch {
	case n > 2*most && since(2*most) < modelDay.Seconds(): // those in the middle fill a day
		r.fatalf("%d messages within %v seconds", 2*most+1, since(2*most))
	case float64(n) > float64(most)*(1+r.motion/modelDay.Seconds()):
		r.fatalf("%d messages within %v seconds", n, r.motion)
	}
}

// courier binds an address if there is none, and signs in with messages.
func (r *modelRun) courier(u *modelUser) {
	if u.account.address.channel == "" || r.chance(5) {
		before := len(r.bindings)
		p := r.proof(u)
		if x, ok := modelPick(r, u.account.apps); ok {
			p = modelProof{kind: "code", code: modelNext(x, r.now())}
		}
		r.bindWith(u, r.ticket(u), p)
		if len(r.bindings) == before {
			return
		}
		if r.chance(5) {
			r.step() // something comes in between
		}
		if w := u.account.waiting; w != nil {
			r.confirmAddressWith(u, r.bindings[before], w.digits)
		}
		r.real = r.real.Add(time.Minute)
	}
	for range 1 + r.rng.IntN(3) {
		before := len(r.challenges)
		r.signInWith(u, enrollment.SignInOptions{Channel: []string{"", "", "sms", "magic"}[r.rng.IntN(4)]})
		if len(r.challenges) == before {
			return
		}
		c := r.challenges[before]
		for range 1 + r.rng.IntN(3) {
			r.sendTo(u, r.challenges[len(r.challenges)-1], c.purpose)
			for range r.rng.IntN(3) * r.rng.IntN(3) {
				r.answerWith(u, r.challenges[len(r.challenges)-1], c.purpose, r.one(fmt.Sprintf("%06d", r.rng.IntN(1_000_000))))
			}
			r.real = r.real.Add(time.Duration(r.rng.IntN(90)) * time.Second)
			if r.chance(3) {
				r.real = r.real.Add(time.Duration(r.rng.IntN(9)) * time.Minute)
			}
		}
		if w := u.account.waiting; w != nil {
			r.answerWith(u, r.challenges[len(r.challenges)-1], c.purpose, r.one(w.digits))
		}
		r.real = r.real.Add(time.Duration(r.rng.IntN(90)) * time.Second)
	}
}

// misdial types wrong codes for an address that is to be all of the account, until
// that is held back.
func (r *modelRun) misdial(u *modelUser) {
	if u.account.enrolled() {
		r.adminResetWith(u, false, false)
	}
	for range 2 + r.rng.IntN(2) {
		before := len(r.bindings)
		r.bindWith(u, u.account.ticket, r.proof(u))
		if len(r.bindings) == before {
			break
		}
		for range 2 + r.rng.IntN(4) {
			r.confirmAddressWith(u, r.bindings[before], fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
		}
		if len(u.account.locks(r.now())) > 0 {
			r.tally["Bind: locked with nothing set up"]++
			break
		}
		r.real = r.real.Add(time.Minute)
	}
	if r.chance(2) {
		r.unlock(u)
	}
	r.courier(u)
}

// besiege asks for messages and guesses at their codes for weeks, as somebody
// with the first factor could.
func (r *modelRun) besiege(u *modelUser) {
	if u.account.address.channel == "" {
		r.courier(u)
	}
	rounds := 10 + r.rng.IntN(50)
	if r.chance(10) {
		rounds = 300 // until delivered codes are disabled
	}
	for range rounds {
		if u.account.address.channel == "" {
			return
		}
		if u.account.sms.failures >= 100 && r.chance(3) {
			break
		}
		before := len(r.challenges)
		r.signInWith(u, enrollment.SignInOptions{})
		if len(r.challenges) == before {
			return
		}
		r.sendTo(u, r.challenges[before], enrollment.PurposeSignIn)
		if len(r.challenges) > before+1 {
			for range 1 + r.rng.IntN(6) {
				r.answerLatest(u, fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
			}
		}
		at := modelLater(u.account.sms.opens(modelShort), u.account.lastMessage.Add(time.Minute))
		if u.account.messages >= r.limits.messages {
			at = modelLater(at, u.account.messagesSince.Add(modelDay))
		}
		r.until(at.Add(-time.Microsecond * time.Duration(r.rng.IntN(5)/4)))
	}
	switch r.rng.IntN(3) {
	case 0:
		r.unlock(u)
	case 1:
		if c, ok := modelPick(r, u.account.codes); ok {
			r.verify(u, c)
		}
	}
	r.courier(u)
}
