package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A world is one account on a Guard, its owner, and somebody who guesses.
type world struct {
	guard  *enrollment.Guard
	clock  *enrollmenttest.Clock
	random *rand.Rand

	apps     []*enrollmenttest.App
	recovery string // the next recovery code
	inbox    string // the code of the last message
	digits   int
}

const user = "alice"

// newWorld enrols the owner, with as many apps as the scenario says.
func newWorld(ctx context.Context, s scenario, seed uint64) (*world, error) {
	w := &world{
		clock:  enrollmenttest.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)),
		random: rand.New(rand.NewPCG(seed, 0)),
		digits: s.Digits,
	}
	keys, err := keyring.Generate("odds")
	if err != nil {
		return nil, err
	}
	w.guard, err = enrollment.New(memory.New(), keys, enrollment.Config{
		Issuer: "Example",
		Params: totp.Params{Digits: s.Digits},
		Window: s.Window,

		MaxMessages: s.Daily,
		Now:         w.clock.Now,
		Sender:      w,

		// Recovery codes without a derivation, and one that follows each that is
		// used: a run takes seconds, and lasts as long as the scenario.
		RecoveryScheme: recovery.Fast,
		ReplenishCodes: true,
	})
	if err != nil {
		return nil, err
	}
	for range s.Authenticators {
		if err := w.addApp(ctx); err != nil {
			return nil, fmt.Errorf("setting up an app: %w", err)
		}
	}
	if s.Messages {
		if err := w.bind(ctx); err != nil {
			return nil, fmt.Errorf("binding an address: %w", err)
		}
	}
	return w, nil
}

func (w *world) addApp(ctx context.Context) error {
	options := enrollment.BeginOptions{Account: user, Proof: enrollment.ByReauth("password")}
	if len(w.apps) > 0 {
		options.Proof = enrollment.ByCode(w.freshCode())
	}
	setup, err := w.guard.Begin(ctx, user, options)
	if err != nil {
		return err
	}
	app, err := enrollmenttest.Scan(setup.URI())
	if err != nil {
		return err
	}
	done, err := w.guard.Confirm(ctx, user, setup.Token, app.Code(w.clock.Now()))
	if err != nil {
		return err
	}
	if codes := done.Codes.Reveal(); len(codes) > 0 {
		w.recovery = codes[0]
	}
	w.apps = append(w.apps, app)
	return nil
}

func (w *world) bind(ctx context.Context) (err error) {
	b, err := w.guard.Messages().Bind(ctx, user, enrollment.BindOptions{Channel: "sms", To: "+15550100", Proof: enrollment.ByCode(w.freshCode())})
	if err != nil {
		return err
	}
	_, err = w.guard.Messages().Confirm(ctx, user, b.Token, w.inbox)
	return err
}

// Send is the owner's phone.
func (w *world) Send(_ context.Context, m enrollment.Message) error {
	w.inbox = m.Code()
	return nil
}

// freshCode waits for the next code of the first app and returns it.
func (w *world) freshCode() string {
	w.clock.Advance(w.apps[0].Period())
	return w.apps[0].Code(w.clock.Now())
}

// challenge signs in up to the second step, as anybody can who has the password.
func (w *world) challenge(ctx context.Context) (enrollment.Challenge, error) {
	d, err := w.guard.SignIn(ctx, user, enrollment.SignInOptions{})
	return d.Challenge, err
}

func (w *world) answer(ctx context.Context, code string) (enrollment.Success, error) {
	challenge, err := w.challenge(ctx)
	if err != nil {
		return enrollment.Success{}, err
	}
	return w.guard.Answer(ctx, enrollment.PurposeSignIn, challenge, code)
}

// signIn signs the owner in with the app.
func (w *world) signIn(ctx context.Context) error {
	_, err := w.answer(ctx, w.freshCode())
	return err
}

// recover signs the owner in with a recovery code.
func (w *world) recover(ctx context.Context) error {
	ok, err := w.answer(ctx, w.recovery)
	if err != nil {
		return err
	}
	w.recovery = ok.NewCode.Reveal()
	return nil
}

// send has a code sent, and returns the challenge that it answers.
func (w *world) send(ctx context.Context) (enrollment.Challenge, error) {
	challenge, err := w.challenge(ctx)
	if err != nil {
		return enrollment.Challenge{}, err
	}
	w.clock.Advance(enrollment.MessagePause)
	d, err := w.guard.Messages().Send(ctx, enrollment.PurposeSignIn, challenge)
	return d.Challenge, err
}

// wrongCode returns a code that no app shows in the next minutes. The guesser is
// unlucky, so that the run goes on and every guess can be counted.
func (w *world) wrongCode() string {
	for {
		code := fmt.Sprintf("%0*d", w.digits, w.random.Int64N(int64(math.Pow10(w.digits))))
		right := slices.ContainsFunc(w.apps, func(app *enrollmenttest.App) bool {
			for step := -2; step <= 2; step++ {
				if app.Code(w.clock.Now().Add(time.Duration(step)*app.Period())) == code {
					return true
				}
			}
			return false
		})
		if !right {
			return code
		}
	}
}

// denied returns what the Guard said to a guess, or an error if it said nothing
// of the kind.
func denied(err error) (*enrollment.Denied, error) {
	var d *enrollment.Denied
	switch {
	case errors.As(err, &d):
		return d, nil
	case err == nil:
		return nil, errors.New("a code that is wrong was accepted")
	default:
		return nil, err
	}
}
