// Package enrollmenttest helps an application to test its own pages and handlers. It
// has an authenticator app that scans, a clock that a test moves, and a Guard that is
// ready for use.
//
//	kit := enrollmenttest.New(t)
//	srv := newServer(kit.Guard)        // the application's own code
//	alice := kit.Enroll("alice")
//	// … post alice.Code() to srv and look at what it does …
//	kit.Clock.Advance(time.Minute)     // the next code
//
// The Guard keeps its accounts in memory and makes recovery codes with the
// scheme recovery.Fast, so a test does not wait for derivations. Use this package
// in tests only: a process that ends loses all accounts.
//
// Package hosttest goes further: it tries attacks on all pages of an application.
package enrollmenttest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// An App is an authenticator app that holds one secret. It is safe for
// concurrent use.
type App struct {
	key   totp.Key
	label totp.Label
}

// Scan returns an app that has scanned the otpauth URI of a setup, as a camera
// would read it from the QR code. It returns the errors of [totp.ParseURI].
func Scan(uri string) (*App, error) {
	key, label, err := totp.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	return &App{key, label}, nil
}

// Code returns the code that the app shows at that time. It panics if the time is
// before 1970.
func (a *App) Code(at time.Time) (code string) {
	var err error
	// A phone does not enforce FIPS 140-3.
	fips.WithoutEnforcement(func() { code, err = a.key.Code(at) })
	if err != nil {
		panic(err)
	}
	return code
}

// WrongCode returns a code that the app does not show within ten minutes of
// that time.
func (a *App) WrongCode(at time.Time) string {
	for n := 0; ; n++ {
		// Any code of another day will do, unless it is also right now.
		code := a.Code(at.Add(time.Duration(n+1) * 24 * time.Hour))
		var err error
		fips.WithoutEnforcement(func() { _, err = a.key.ClockOffset(code, at) })
		if err != nil {
			return code
		}
	}
}

// Issuer returns the name of the service that the app shows.
func (a *App) Issuer() string { return a.label.Issuer }

// Account returns the name of the account that the app shows.
func (a *App) Account() string { return a.label.Account }

// Period returns how long the app shows a code.
func (a *App) Period() time.Duration { return a.key.Params().Period }

// A Clock shows the same time until a test moves it. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows that time.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns the time that the clock shows. It is what Config.Now takes.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward, or back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A Kit is a Guard that is ready for use, with its clock and its store.
type Kit struct {
	// Guard is for the application's code under test.
	Guard *enrollment.Guard

	// Clock gives Guard the time. It starts at a fixed time.
	Clock *Clock

	// Store is where Guard keeps its accounts.
	Store *memory.Store

	t      testing.TB
	mu     sync.Mutex
	events []enrollment.Event
	fault  error // returned by every call of Guard to its store; nil while it works
}

// New returns a fresh Kit. The functions adjust the configuration before the Guard
// is made. By default the issuer is "Example", recovery codes have the scheme
// recovery.Fast, SHA-1 is allowed even if FIPS 140-3 is enforced (with Go 1.26),
// and Notify collects what [Kit.Events] returns. New fails the test if the
// configuration is invalid.
func New(t testing.TB, adjust ...func(*enrollment.Config)) *Kit {
	t.Helper()
	k := &Kit{
		Clock: NewClock(time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)),
		Store: memory.New(),
		t:     t,
	}
	config := enrollment.Config{
		Issuer:         "Example",
		RecoveryScheme: recovery.Fast,
		AllowSHA1:      fips.Exempts,
		Now:            k.Clock.Now,
		Notify: func(_ context.Context, e enrollment.Event) error {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.events = append(k.events, e)
			return nil
		},
	}
	for _, f := range adjust {
		f(&config)
	}
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	if k.Guard, err = enrollment.New(failing{k}, keys, config); err != nil {
		t.Fatal(err)
	}
	return k
}

// Events returns the events that the Guard has delivered so far, in order. It
// returns none if the configuration was given another Notify.
func (k *Kit) Events() []enrollment.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]enrollment.Event(nil), k.events...)
}

// FailStore makes every call of Guard to its store fail with err from now on, as if
// the database were down. Nil ends that. Test that a page that asks for a code then
// does not let the user in, and does not say that the code was wrong. Kit.Store
// itself still works.
func (k *Kit) FailStore(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fault = err
}

func (k *Kit) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fault
}

// failing is the Store of a Kit as its Guard sees it.
type failing struct{ kit *Kit }

func (f failing) Load(ctx context.Context, userID string) (store.Record, error) {
	if err := f.kit.failure(); err != nil {
		return store.Record{}, err
	}
	return f.kit.Store.Load(ctx, userID)
}

func (f failing) Save(ctx context.Context, r store.Record, prev int64) error {
	if err := f.kit.failure(); err != nil {
		return err
	}
	return f.kit.Store.Save(ctx, r, prev)
}

func (f failing) Erase(ctx context.Context, userID string) error {
	if err := f.kit.failure(); err != nil {
		return err
	}
	return f.kit.Store.Erase(ctx, userID)
}

// A User is an enrolled user.
type User struct {
	// ID is the user's id.
	ID string

	// App is the authenticator app.
	App *App

	// RecoveryCodes are the recovery codes that were shown at the setup.
	RecoveryCodes []string

	kit *Kit
}

// Enroll enables two-factor authentication for the user. It then moves the clock to
// the next code, because the code that confirmed the setup is used up. It fails the
// test if the setup is denied, for example because the user is already enrolled.
func (k *Kit) Enroll(userID string) *User {
	k.t.Helper()
	ctx := context.Background()
	setup, err := k.Guard.Begin(ctx, userID, enrollment.BeginOptions{Account: "account of a test", Proof: enrollment.ByReauth("password")})
	if err != nil {
		k.t.Fatalf("enrollmenttest: %v", err)
	}
	app, err := Scan(setup.URI())
	if err != nil {
		k.t.Fatalf("enrollmenttest: %v", err)
	}
	used := app.Code(k.Clock.Now())
	done, err := k.Guard.Confirm(ctx, userID, setup.Token, used)
	if err != nil {
		k.t.Fatalf("enrollmenttest: %v", err)
	}
	k.Clock.Advance(app.Period())
	for app.Code(k.Clock.Now()) == used { // once in a million times, the next code is the same
		k.Clock.Advance(app.Period())
	}
	return &User{ID: userID, App: app, RecoveryCodes: done.Codes.Reveal(), kit: k}
}

// Code returns the code that the user's app shows now.
func (u *User) Code() string { return u.App.Code(u.kit.Clock.Now()) }

// WrongCode returns a code that the user's app does not show within ten minutes of
// now.
func (u *User) WrongCode() string { return u.App.WrongCode(u.kit.Clock.Now()) }
