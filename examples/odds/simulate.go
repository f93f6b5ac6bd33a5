package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const day = 24 * time.Hour

// A finding is how many codes the Guard evaluated for the guesser.
type finding struct{ App, Message int }

// A siege is a guesser at work.
type siege struct {
	*world
	scenario
	end   time.Time
	found finding

	run          int       // wrong codes in messages since the owner's last right one
	app, message time.Time // when the next guess there may be evaluated

	// The guesser knows the rules, and keeps count of what is spent.
	spent time.Duration
	as    time.Time
}

// simulate lets a guesser try codes as fast as the Guard evaluates them. What
// the owner does is the best that can happen to the guesser: whenever a lock
// ends, the owner signs in just before the next guess, which ends the run of
// failures.
func simulate(ctx context.Context, s scenario, seed uint64) (finding, error) {
	w, err := newWorld(ctx, s, seed)
	if err != nil {
		return finding{}, err
	}
	begin := w.clock.Now()
	x := &siege{world: w, scenario: s, app: begin, message: begin, as: begin}
	length := time.Duration(s.Years) * days * day
	x.end = begin.Add(length)
	recoveries := s.Recoveries * s.Years
	for i := range recoveries + 1 {
		if err := x.until(ctx, begin.Add(length/time.Duration(recoveries+1)*time.Duration(i+1))); err != nil {
			return finding{}, err
		}
		if i == recoveries {
			break
		}
		if err := w.recover(ctx); err != nil {
			return finding{}, fmt.Errorf("using a recovery code: %w", err)
		}
		x.recovered()
	}
	return x.found, nil
}

// until lets the guesser go on up to an instant, and then try once more without
// a thought of what comes after.
func (x *siege) until(ctx context.Context, end time.Time) error {
	for {
		next := x.app
		if x.Messages && x.message.Before(next) {
			next = x.message
		}
		if !next.Before(end) {
			break
		}
		x.advance(next)
		var err error
		if next.Equal(x.app) {
			err = x.guessApp(ctx, false)
		} else {
			err = x.guessMessage(ctx)
		}
		if err != nil {
			return err
		}
	}
	x.advance(end)
	return x.guessApp(ctx, true)
}

func (x *siege) advance(to time.Time) {
	if d := to.Sub(x.clock.Now()); d > 0 {
		x.clock.Advance(d)
	}
}

// guessApp has the owner sign in, and guesses until the Guard says no.
func (x *siege) guessApp(ctx context.Context, last bool) error {
	if err := x.signIn(ctx); err != nil {
		if _, err := denied(err); err != nil {
			return err
		}
	}
	for {
		if wait := x.wouldDisable(); wait > 0 && !last {
			x.app = x.clock.Now().Add(wait)
			return nil
		}
		_, err := x.answer(ctx, x.wrongCode())
		d, err := denied(err)
		if err != nil {
			return err
		}
		switch {
		case errors.Is(d, enrollment.ReasonWrongCode):
			x.found.App++
			x.spend()
			if d.RetryAt.IsZero() {
				continue
			}
			x.app = d.RetryAt
		case errors.Is(d, enrollment.ReasonLocked):
			x.app = d.RetryAt
		case errors.Is(d, enrollment.ReasonFactorDisabled):
			x.app = x.end
		default:
			return d
		}
		return nil
	}
}

// guessMessage has the owner sign in by a message, and guesses at another one. If a
// day brings one message, the guesser takes it, and leaves it to the owner before the
// run of failures disables codes in messages.
func (x *siege) guessMessage(ctx context.Context) error {
	challenge, err := x.send(ctx)
	if err == nil && (x.Daily != 1 || x.run > 90) {
		_, err = x.guard.Answer(ctx, enrollment.PurposeSignIn, challenge, x.inbox)
		if err == nil {
			x.run = 0
			challenge, err = x.send(ctx)
		}
	}
	for err == nil {
		_, err = x.guard.Answer(ctx, enrollment.PurposeSignIn, challenge, x.wrongMessage())
		d, fault := denied(err)
		if fault != nil {
			return fault
		}
		if errors.Is(d, enrollment.ReasonWrongCode) {
			x.found.Message++
			x.run++
			if d.RetryAt.IsZero() {
				err = nil
			}
		}
	}
	d, err := denied(err)
	switch {
	case err != nil:
		return err
	case !d.RetryAt.IsZero():
		x.message = d.RetryAt
	case errors.Is(d, enrollment.ReasonFactorDisabled):
		x.message = x.end
	default:
		return d
	}
	return nil
}

func (x *siege) wrongMessage() string {
	if x.inbox == "000000" {
		return "000001"
	}
	return "000000"
}

func (x *siege) level() time.Duration { return max(0, x.spent-x.clock.Now().Sub(x.as)) }

func (x *siege) spend() {
	x.spent, x.as = x.level()+time.Duration(x.Authenticators)*day, x.clock.Now()
}

// wouldDisable returns how long to wait so that the next wrong code does not
// disable app codes, which would end the siege. One authenticator never gets
// there.
func (x *siege) wouldDisable() time.Duration {
	if x.Authenticators == 1 {
		return 0
	}
	return max(0, x.level()+time.Duration(x.Authenticators)*day-disabledAt*day+time.Second)
}

// recovered is what a recovery code of the owner is worth to the guesser.
func (x *siege) recovered() {
	x.spent, x.as = min(x.level(), time.Duration(x.keptDebt())*day), x.clock.Now()
	x.app, x.message = x.as, x.as
}

// rightCodes tries every code of six digits at one moment, and returns those that the
// library takes in its widest window. It tries them once and then remembers.
var rightCodes = sync.OnceValues(func() (codes []string, err error) {
	for code := range 1_000_000 {
		text := fmt.Sprintf("%06d", code)
		switch right, err := isRight(totp.LookBothWays, text); {
		case err != nil:
			return nil, err
		case right:
			codes = append(codes, text)
		}
	}
	return codes, nil
})

// countRight returns how many of all codes the library takes in that window.
func countRight(w totp.Window) (n int, err error) {
	codes, err := rightCodes()
	for _, code := range codes {
		var right bool
		if right, err = isRight(w, code); err != nil {
			return 0, err
		}
		if right {
			n++
		}
	}
	return n, err
}

var oneKey = sync.OnceValues(func() (totp.Key, error) {
	secret, err := totp.NewSecret([]byte("a secret of twenty b"))
	if err != nil {
		return totp.Key{}, err
	}
	return totp.NewKey(secret, totp.Params{})
})

func isRight(w totp.Window, code string) (bool, error) {
	key, err := oneKey()
	if err != nil {
		return false, err
	}
	_, err = key.CheckWithin(w, code, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), 0)
	if errors.Is(err, totp.ErrWrong) {
		return false, nil
	}
	return err == nil, err
}
