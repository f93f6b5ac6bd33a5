package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// base is the time at which everything happens.
var base = time.Date(2026, 3, 2, 9, 30, 11, 0, time.UTC)

// guesses is how many wrong codes an account is given before it is put back: a
// fifth begins a wait.
const guesses = 4

// pace is the time between two guesses at one account.
const pace = 7 * time.Second

// A User is an account as it is at base, with a challenge that is open then.
type User struct {
	ID        string
	Record    store.Record
	Challenge enrollment.Challenge
	Right     string // the code of the authenticator at base
	Wrong     string // a code that is wrong for minutes around base

	key totp.Key // of the authenticator; not sent to other processes
}

// A Population is a number of users in a store, and the Guard over it. Its
// clock stands still unless it is set.
type Population struct {
	Guard *enrollment.Guard
	Users []User

	ring  *keyring.Ring
	store store.Store
	clock atomic.Int64
}

// config is that of every Guard here: the defaults, but for the scheme. Owners are told of
// events, as every application should do it; that takes no time here.
func (p *Population) config(s recovery.Scheme) enrollment.Config {
	return enrollment.Config{Issuer: "Acme", RecoveryScheme: s, Now: p.now, Notify: taken}
}

// taken takes an event.
func taken(context.Context, enrollment.Event) error { return nil }

func (p *Population) now() time.Time { return time.UnixMicro(p.clock.Load()) }

func (p *Population) set(t time.Time) { p.clock.Store(t.UnixMicro()) }

// NewPopulation returns n users in a memory store, who have enrolled a month
// ago and have lived since: see live. Their recovery codes are of the scheme
// Fast, which takes as many bytes as Argon2id and spares a second of
// processor for each user.
func NewPopulation(ctx context.Context, n int) (*Population, error) {
	return populate(ctx, n, recovery.Fast, true)
}

func populate(ctx context.Context, n int, scheme recovery.Scheme, lived bool) (*Population, error) {
	ring, err := keyring.Generate("2026a")
	if err != nil {
		return nil, err
	}
	p := &Population{ring: ring, store: memory.New()}
	if p.Guard, err = enrollment.New(p.store, ring, p.config(scheme)); err != nil {
		return nil, err
	}
	for i := range n {
		u, err := p.enroll(ctx, fmt.Sprintf("user-%08d", i), lived)
		if err != nil {
			return nil, fmt.Errorf("making user %d: %w", i, err)
		}
		p.Users = append(p.Users, u)
	}
	p.set(base)
	return p, nil
}

// MoveTo puts the users into another store, which must be empty, and a Guard
// over that.
func (p *Population) MoveTo(ctx context.Context, to store.Store) error {
	for _, u := range p.Users {
		if err := to.Save(ctx, u.Record, 0); err != nil {
			return err
		}
	}
	return p.Attach(to)
}

// Attach puts a Guard over a store that already holds the users.
func (p *Population) Attach(to store.Store) (err error) {
	p.store = to
	p.Guard, err = enrollment.New(to, p.ring, p.config(recovery.Argon2id))
	return err
}

// Restore puts every account back to what it was at base.
func (p *Population) Restore(ctx context.Context) error {
	for _, u := range p.Users {
		now, err := p.store.Load(ctx, u.ID)
		if err != nil {
			return err
		}
		if now.Version == u.Record.Version {
			continue
		}
		if err := p.store.Save(ctx, u.Record, now.Version); err != nil {
			return err
		}
	}
	return nil
}

// enroll makes a user, and a challenge at base.
func (p *Population) enroll(ctx context.Context, id string, lived bool) (User, error) {
	p.set(base.AddDate(0, -1, 0))
	setup, err := p.Guard.Begin(ctx, id, enrollment.BeginOptions{Account: id + "@example.com", Proof: enrollment.ByReauth("password")})
	if err != nil {
		return User{}, err
	}
	key, _, err := totp.ParseURI(setup.URI())
	if err != nil {
		return User{}, err
	}
	code, err := key.Code(p.now())
	if err != nil {
		return User{}, err
	}
	done, err := p.Guard.Confirm(ctx, id, setup.Token, code)
	if err != nil {
		return User{}, err
	}
	if lived {
		if err := p.live(ctx, id, key, done.Codes); err != nil {
			return User{}, err
		}
	}

	p.set(base)
	u := User{ID: id, key: key}
	if u.Challenge, err = p.challenge(ctx, id); err != nil {
		return User{}, err
	}
	if u.Record, err = p.store.Load(ctx, id); err != nil {
		return User{}, err
	}
	if u.Right, err = key.Code(base); err != nil {
		return User{}, err
	}
	u.Wrong, err = wrongCode(key, base)
	return u, err
}

// live is a month of the user: sign-ins, a typing error, a recovery code, new
// recovery codes, another recovery code, and a sign-in yesterday.
func (p *Population) live(ctx context.Context, id string, key totp.Key, codes recovery.Codes) error {
	signIn := func(daysAgo int, code string) (enrollment.Success, error) {
		p.set(base.AddDate(0, 0, -daysAgo))
		challenge, err := p.challenge(ctx, id)
		if err != nil {
			return enrollment.Success{}, err
		}
		if code == "" {
			if code, err = key.Code(p.now()); err != nil {
				return enrollment.Success{}, err
			}
		}
		return p.Guard.Answer(ctx, enrollment.PurposeSignIn, challenge, code)
	}
	if _, err := signIn(20, ""); err != nil {
		return err
	}
	wrong, err := wrongCode(key, base.AddDate(0, 0, -15))
	if err != nil {
		return err
	}
	if _, err := signIn(15, wrong); !errors.Is(err, enrollment.ErrWrongCode) {
		return fmt.Errorf("the typing error was answered with %v", err)
	}
	ok, err := signIn(14, codes.Reveal()[0])
	if err != nil {
		return err
	}
	renewed, err := p.Guard.RenewCodes(ctx, id, enrollment.ByReceipt(ok.Receipt))
	if err != nil {
		return err
	}
	if _, err := signIn(7, renewed.Codes.Reveal()[0]); err != nil {
		return err
	}
	_, err = signIn(1, "")
	return err
}

func (p *Population) challenge(ctx context.Context, id string) (enrollment.Challenge, error) {
	d, err := p.Guard.SignIn(ctx, id, enrollment.SignInOptions{})
	if err != nil {
		return enrollment.Challenge{}, err
	}
	if d.Next != enrollment.AskCode {
		return enrollment.Challenge{}, fmt.Errorf("the decision is %v", d.Next)
	}
	return d.Challenge, nil
}

// wrongCode returns a code that is wrong for minutes around t.
func wrongCode(key totp.Key, t time.Time) (string, error) {
	for i := range 10 {
		code := fmt.Sprintf("%06d", i*111111)
		if _, err := key.ClockOffset(code, t); errors.Is(err, totp.ErrWrong) {
			return code, nil
		}
	}
	return "", errors.New("no wrong code found")
}

// denied returns nil if err is a Denied of that reason.
func denied(err error, want enrollment.Reason) error {
	var d *enrollment.Denied
	switch {
	case err == nil:
		return errors.New("the code was right")
	case !errors.As(err, &d):
		return err
	case d.Reason != want:
		return fmt.Errorf("denied as %s, want %s", d.Reason, want)
	}
	return nil
}
