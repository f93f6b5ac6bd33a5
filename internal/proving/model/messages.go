package model

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Delivered codes: the rules, and the operations of the driver.

// A modelMessage is a code on its way.
type modelMessage struct {
	number        int
	purpose       enrollment.Purpose // "" for one that proves an address
	digits        string             // the driver fills it in
	sent, expires time.Time
	wrong         int
	binds         modelAddress // zero at a sign-in
}

func (a *modelAccount) clampMessages(now time.Time) {
	a.dirty = a.sms.clampFuture(now) || a.dirty
	for _, at := range []*time.Time{&a.lastMessage, &a.messagesSince, &a.address.used} {
		if modelFuture(*at, now) {
			*at, a.dirty = now, true
		}
	}
	if a.waiting != nil && modelFuture(a.waiting.sent, now) {
		a.waiting, a.dirty = nil, true
	}
}

// mayMessage holds back messages: while guessing is held back, for a minute
// after the last, and after those of a day for a day from the first.
func (a *modelAccount) mayMessage(now time.Time) *modelNo {
	no := a.sms.refuses(modelShort, now)
	if no == nil && a.messages > 0 {
		at, reason := a.lastMessage.Add(time.Minute), enrollment.ReasonTooSoon
		if day := a.messagesSince.Add(modelDay); a.messages-a.refusals >= a.limits.messages && day.After(at) {
			at, reason = day, enrollment.ReasonTooManyMessages
		}
		if now.Before(at) {
			no = &modelNo{reason: reason, retry: at}
		}
	}
	if no != nil {
		no.factor = enrollment.FactorDelivered
	}
	return no
}

// post counts a message; an earlier code is void.
func (a *modelAccount) post(number int, binds modelAddress, now time.Time) *modelMessage {
	if a.messages == 0 || !now.Before(a.messagesSince.Add(modelDay)) {
		a.messages, a.refusals, a.messagesSince = 0, 0, modelLater(a.messagesSince, now)
	}
	a.messages++
	a.lastMessage = modelLater(a.lastMessage, now)
	a.waiting = &modelMessage{number: number, sent: now, expires: now.Add(10 * time.Minute), binds: binds}
	a.dirty = true
	return a.waiting
}

// refused drops the pending message, which the gateway will not deliver. It reports
// whether the day gets it back.
func (a *modelAccount) refused() bool {
	a.waiting = nil
	if a.refusals >= a.limits.messages {
		return false
	}
	a.refusals++
	return true
}

// inHand returns the pending message if its code answers a challenge for which none
// can be sent now.
func (a *modelAccount) inHand(c modelToken, p enrollment.Purpose, no *modelNo, now time.Time) *modelMessage {
	w := a.waiting
	if no.reason == enrollment.ReasonTooSoon || no.reason == enrollment.ReasonTooManyMessages {
		if w != nil && w.purpose == p && !w.late(now) && w.number != c.delivery {
			return w
		}
	}
	return nil
}

// late reports whether the code is not good any more, or, by a clock that has
// gone back, not yet.
func (w *modelMessage) late(now time.Time) bool {
	return !now.Before(w.expires) || w.sent.After(now.Add(2*time.Minute))
}

// take holds digits against the pending message. It is gone when they are
// right, and with the fifth wrong ones.
func (a *modelAccount) take(digits string, now time.Time) *modelNo {
	if a.waiting.digits == digits {
		a.waiting = nil
		a.sms.failures = 0
		a.dirty = true
		return nil
	}
	if a.waiting.wrong++; a.waiting.wrong == 5 {
		a.waiting = nil
	}
	return a.miss(&a.sms, modelShort, enrollment.FactorDelivered, 1, now)
}

func (a *modelAccount) checkDelivered(digits string, number int, now time.Time) (modelMatch, *modelNo) {
	if no := a.sms.refuses(modelShort, now); no != nil {
		return modelMatch{}, no
	}
	switch w := a.waiting; {
	case a.address.channel == "", w == nil, w.number != number, w.binds.channel != "":
		return modelMatch{}, modelDeny(enrollment.ReasonChallengeVoid)
	case w.late(now):
		return modelMatch{}, modelDeny(enrollment.ReasonChallengeExpired)
	}
	if no := a.take(digits, now); no != nil {
		return modelMatch{}, no
	}
	a.address.used = now
	return modelMatch{factor: enrollment.FactorDelivered}, nil
}

func (r *modelRun) send(u *modelUser) {
	if c, ok := r.challenge(u); ok {
		p := c.purpose
		if r.chance(12) {
			p = "password-reset"
		}
		r.sendTo(u, c, p)
	} else {
		r.signIn(u)
	}
}

func (r *modelRun) sendTo(u *modelUser, c modelToken, p enrollment.Purpose) {
	u = r.owner(u, c)
	var w *modelMessage
	var to modelAddress
	var got enrollment.Delivery
	var m enrollment.Message
	var sent, earlier bool
	var expires, at time.Time
	r.do(u, fmt.Sprintf("Send for challenge %d, %q", c.number, p), func(a *modelAccount, _ int) *modelNo {
		if no := r.glanceChallenge(c, p); no != nil {
			return no
		}
		if no := a.challenge(c); no != nil {
			return no
		}
		switch {
		case !r.now().Before(c.issued.Add(10 * time.Minute)): // whatever message was sent for it since
			return modelDeny(enrollment.ReasonChallengeExpired)
		case a.address.channel == "":
			return modelDeny(enrollment.ReasonNoAddress)
		case strings.EqualFold(c.channel, a.address.channel):
			return modelDeny(enrollment.ReasonSameChannel)
		}
		to = a.address
		if no := a.mayMessage(r.now()); no != nil {
			if w = a.inHand(c, p, no, r.now()); w == nil {
				return no
			}
			earlier, expires, at = true, w.expires, w.sent
			r.tally["Send: earlier"]++
			return nil
		}
		w = a.post(r.next(), modelAddress{}, r.now())
		w.purpose, expires, at = p, w.expires, w.sent
		return nil
	}, func(ctx context.Context) (err error) {
		m, sent, err = r.posted(func() (err error) {
			got, err = r.messages.Send(ctx, p, enrollment.ChallengeOf(c.text))
			return err
		})
		return err
	}, func(a *modelAccount) {
		if earlier {
			if m.UserID != "" {
				r.fatalf("another message was sent")
			}
			sent = true
		} else {
			r.arrived(u, a, m, enrollment.Message{UserID: u.name, Purpose: p, Channel: to.channel, To: to.to, Expires: expires}, w)
		}
		if !sent {
			if !reflect.DeepEqual(got, enrollment.Delivery{}) {
				r.fatalf("Send returned %+v although nothing was sent", got)
			}
			return
		}
		if got.Address != to.public() || !got.Sent.Equal(at) || !got.Expires.Equal(expires) || got.Challenge.IsZero() || got.Earlier != earlier {
			r.fatalf("Send returned %+v, want %+v from %v until %v, earlier %t", got, to.public(), at, expires, earlier)
		}
		c.text, c.expires, c.delivery = got.Challenge.Reveal(), expires, w.number
		r.challenges = append(r.challenges, c)
	})
}
