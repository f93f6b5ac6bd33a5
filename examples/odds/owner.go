package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A presence is what came of an owner who gets in every day by three consecutive
// codes, while the guesser goes on.
type presence struct {
	In     int // days on which the owner got in
	Locked int // days on which one code was not evaluated then
	App    int // guesses at app codes that were evaluated
	Tries  int // at three codes
}

// triesADay is how often the simulated guesser tries three codes in a day. None of
// them is counted, so more of them change nothing but the time of the run.
const triesADay = 10

// simulateOwner lets the guesser try codes as fast as the Guard evaluates them, and
// the owner come once a day, half a day after the last guess that begins a day-long
// lock.
func simulateOwner(ctx context.Context, s scenario, seed uint64) (found presence, err error) {
	w, err := newWorld(ctx, s, seed)
	if err != nil {
		return found, err
	}
	x := &siege{world: w, scenario: s}
	next := w.clock.Now()
	owner := next.Add(day / 2)
	for range days * s.Years {
		for next.Before(owner) {
			x.advance(next)
			d, err := x.guess(ctx)
			if err != nil {
				return found, err
			}
			if errors.Is(d, enrollment.ReasonWrongCode) {
				found.App++
			}
			if errors.Is(d, enrollment.ReasonFactorDisabled) {
				next = owner
			} else if !d.RetryAt.IsZero() {
				next = d.RetryAt
			}
		}
		x.advance(owner)
		for range triesADay {
			if err := x.guessThree(ctx); err != nil {
				return found, err
			}
			found.Tries++
		}
		d, err := w.guard.SignIn(ctx, user, enrollment.SignInOptions{})
		if err != nil {
			return found, err
		}
		if d.ThreeCodes {
			found.Locked++
		}
		if _, err := w.guard.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, d.Challenge, w.threeCodes()); err != nil {
			return found, fmt.Errorf("the owner does not get in on day %d: %w", found.In+1, err)
		}
		found.In++
		if next.Before(owner) {
			next = owner
		}
		owner = owner.Add(day)
	}
	return found, nil
}

// guess makes one guess at an app code.
func (x *siege) guess(ctx context.Context) (*enrollment.Denied, error) {
	_, err := x.answer(ctx, x.wrongCode())
	return denied(err)
}

// guessThree makes one guess at three codes.
func (x *siege) guessThree(ctx context.Context) error {
	challenge, err := x.challenge(ctx)
	if err != nil {
		return err
	}
	codes := []string{x.wrongCode(), x.wrongCode(), x.wrongCode()}
	_, err = x.guard.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, challenge, codes)
	d, err := denied(err)
	if err == nil && !errors.Is(d, enrollment.ReasonWrongCode) {
		err = d
	}
	return err
}

// threeCodes are what the first app has shown up to now.
func (w *world) threeCodes() (codes []string) {
	app := w.apps[0]
	for i := -2; i <= 0; i++ {
		codes = append(codes, app.Code(w.clock.Now().Add(time.Duration(i)*app.Period())))
	}
	return codes
}

// countPlaces returns how many triples of the codes of one app the library takes at a
// moment, by trying the app at all times around it.
func countPlaces() (n int, err error) {
	key, err := oneKey()
	if err != nil {
		return 0, err
	}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for shift := -60; shift <= 60; shift++ {
		var codes [totp.Consecutive]string
		for i := range codes {
			if codes[i], err = key.Code(now.Add(time.Duration(shift+i) * key.Params().Period)); err != nil {
				return 0, err
			}
		}
		switch _, err := key.CheckConsecutive(codes, now, 0); {
		case err == nil:
			n++
		case !errors.Is(err, totp.ErrWrong):
			return 0, err
		}
	}
	return n, nil
}

const (
	// places are the steps within ten minutes, at each of which three codes are right.
	places = 2*(10*60/30) + 1

	// triesASecond is a guesser who has the server to itself.
	triesASecond = 1000
)

// perThree is the chance that a try at three codes is right.
func (s scenario) perThree() float64 {
	return places * float64(s.Authenticators) / math.Pow10(totp.Consecutive*s.Digits)
}

// perThreeTimed is that chance if the guesser sees by the time of an answer that two
// of the three were right. Such a try is counted, and the fifth uses the codes up, so
// that four more are left at the third code.
func (s scenario) perThreeTimed() float64 {
	two := totp.Consecutive * places * float64(s.Authenticators) / math.Pow10(2*s.Digits)
	return s.perThree() + two*4/math.Pow10(s.Digits)
}

// threeChance is how likely one of the tries at three codes is right, at
// triesASecond without a pause.
func (s scenario) threeChance() float64 {
	tries := float64(triesASecond) * (day * days).Seconds() * float64(s.Years)
	return -math.Expm1(-tries * s.perThreeTimed())
}
