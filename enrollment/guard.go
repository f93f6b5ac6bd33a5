package enrollment

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/gate"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Bounds and defaults of a [Config].
const (
	// DefaultSetupTTL is how long a setup waits for its code.
	DefaultSetupTTL = 15 * time.Minute

	// MinSetupTTL and MaxSetupTTL bound Config.SetupTTL.
	MinSetupTTL = time.Minute
	MaxSetupTTL = 24 * time.Hour

	// MaxNamespace is the length of the longest Config.Namespace in bytes.
	MaxNamespace = 64
)

// Config is how a [Guard] behaves. The zero value of every field but Issuer is
// the safe choice.
type Config struct {
	// Issuer is the name of the service that authenticator apps show: 1 to
	// [totp.MaxIssuer] bytes, without a colon. It is required. Options.Issuer
	// can differ per setup.
	Issuer string

	// Namespace separates installations that share keys, for example "staging":
	// what was sealed in one does not open in another. They need tables of
	// their own as well, since a user has one record in a table. At most
	// [MaxNamespace] bytes. It can't be changed later without making
	// every stored account unreadable. Defaults to "".
	Namespace string

	// Params is the kind of code that new authenticators make. Defaults to SHA-1,
	// 6 digits, 30 seconds, which is what most apps assume whatever the URI
	// says: change it only where you choose the app as well.
	Params totp.Params

	// RecoveryCodes is how many codes a set has, from [recovery.MinCount] to
	// [recovery.MaxCount]. Defaults to [recovery.DefaultCount].
	RecoveryCodes int

	// RecoveryScheme is how new sets of recovery codes are made. Defaults to
	// [recovery.Argon2id]: codes of 16 symbols behind a slow derivation.
	// [recovery.Fast] has longer codes and no derivation. Sets made earlier
	// keep the scheme they were made with.
	RecoveryScheme recovery.Scheme

	// SetupTTL is how long a setup waits for its code before it is as if it
	// had never been, from [MinSetupTTL] to [MaxSetupTTL]. Defaults to
	// [DefaultSetupTTL].
	SetupTTL time.Duration

	// AllowReauth lets [ByReauth] authorise Disable and Remove: the password
	// alone then switches the second factor off, so that whoever has stolen
	// the password and a session needs nothing else. Defaults to false.
	AllowReauth bool

	// AllowSHA1 lets codes with SHA-1, which is what most apps make, be computed
	// where the Go runtime enforces FIPS 140-3: see "FIPS 140-3" in the
	// documentation of the package. It needs Go 1.26 there, and has no effect
	// elsewhere. Defaults to false.
	AllowSHA1 bool

	// Now returns the current time. Defaults to [time.Now].
	Now func() time.Time

	// Notify is told of every change that the owner of an account should hear
	// of; see [Event]. It is called after the change is stored, in the
	// goroutine of the call that made it, with a context that the caller's
	// cancellation does not reach and that ends after [NotifyTimeout]: hand
	// the event to a queue and return. It never changes the answer that the
	// caller gets: an error, a panic or a crash leaves the event in the
	// account, and it is delivered with the next change of the account that is
	// more than a minute later. Events can arrive more than once, with the same
	// ID. Defaults to nil: then no event is kept for delivery.
	Notify func(ctx context.Context, e Event) error

	// Logger gets a line for each answer of Begin, Confirm, Cancel, Answer,
	// Verify, Disable, Remove and NewCodes that took looking at the account,
	// with the user and the outcome, and one for each event, without secrets and
	// codes. What is denied by its form alone (a malformed code, a token that is
	// none or has expired, a name) leaves no line. Locks are at the level
	// Warn, events that could not be delivered at Error, all else at Info.
	// Defaults to nil: nothing is logged.
	Logger *slog.Logger
}

// A Guard is what a host application calls: it keeps the two-factor accounts
// of its users. It is safe for concurrent use. A process makes one and keeps
// it, because the bound on concurrent key derivations is the Guard's.
//
// Except where said otherwise, its methods return errors of three kinds: a
// [Denied], which is the answer "no" to what the user did; an error that
// matches [ErrBusy], [ErrCorrupt], [ErrMissing] or [ErrNotApproved]; and
// whatever error the store, the sealer or the context returned. Whatever is no Denied is no
// answer about a code: treat it as an internal error, and grant nothing. A user id outside the bounds of
// [store.Record] is an error that matches [store.ErrInvalid].
//
// A Guard must not be called inside a transaction of the host: an attempt that
// is rolled back would not be counted.
type Guard struct {
	store  store.Store
	sealer Sealer
	config Config
	gate   *gate.Gate
	random io.Reader // crypto/rand, but for tests
}

// New returns a Guard over the store, sealing with the sealer. It returns an
// error that names the field if the configuration can't be used. It opens no
// connection and starts no goroutine.
//
// The number of recovery codes that are derived at the same time is GOMAXPROCS
// as of this call.
func New(s store.Store, sealer Sealer, config Config) (*Guard, error) {
	if s == nil {
		return nil, errors.New("enrollment: the store is nil")
	}
	if sealer == nil {
		return nil, errors.New("enrollment: the sealer is nil")
	}
	if err := config.complete(); err != nil {
		return nil, err
	}
	return &Guard{
		store:  s,
		sealer: sealer,
		config: config,
		gate:   gate.New(runtime.GOMAXPROCS(0)),
		random: rand.Reader,
	}, nil
}

// complete fills in defaults and checks what was given.
func (c *Config) complete() error {
	if c.RecoveryCodes == 0 {
		c.RecoveryCodes = recovery.DefaultCount
	}
	if c.SetupTTL == 0 {
		c.SetupTTL = DefaultSetupTTL
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Params = c.Params.WithDefaults()

	if err := (totp.Label{Issuer: c.Issuer, Account: "account"}).Validate(); err != nil {
		return fmt.Errorf("enrollment: Config.Issuer: %w", err)
	}
	if err := c.Params.Validate(); err != nil {
		return fmt.Errorf("enrollment: Config.Params: %w", err)
	}
	switch {
	case len(c.Namespace) > MaxNamespace:
		return fmt.Errorf("enrollment: Config.Namespace is longer than %d bytes", MaxNamespace)
	case c.RecoveryCodes < recovery.MinCount || c.RecoveryCodes > recovery.MaxCount:
		return fmt.Errorf("enrollment: Config.RecoveryCodes is outside %d..%d", recovery.MinCount, recovery.MaxCount)
	case c.RecoveryScheme != recovery.Argon2id && c.RecoveryScheme != recovery.Fast:
		return errors.New("enrollment: Config.RecoveryScheme is none of the defined schemes")
	case c.SetupTTL < MinSetupTTL || c.SetupTTL > MaxSetupTTL:
		return fmt.Errorf("enrollment: Config.SetupTTL is outside %v..%v", MinSetupTTL, MaxSetupTTL)
	}
	return c.approve()
}

// moment draws what a decision takes from outside.
func (g *Guard) moment() (account.Moment, error) {
	m := account.Moment{Now: g.now(), AllowSHA1: g.config.AllowSHA1}
	if _, err := io.ReadFull(g.random, m.Fresh[:]); err != nil {
		return m, fmt.Errorf("enrollment: drawing random bytes: %w", err)
	}
	return m, nil
}

// now returns the time as accounts keep it.
func (g *Guard) now() time.Time {
	return g.config.Now().UTC().Truncate(time.Microsecond)
}
