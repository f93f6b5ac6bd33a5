package enrollment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/gate"
	"github.com/seed-1b6a03a1/twofactor/internal/seam"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Guard is what an application calls: it keeps the two-factor accounts of the
// application's users. Make one per process with [Open] or [New] and keep it, because each
// Guard has its own limit on concurrent key derivations. It is safe for concurrent use.
//
// Unless said otherwise, its methods return errors of three kinds: a [Denied], which is
// the answer "no" to what the user did; an error that matches [ErrBusy], [ErrCorrupt],
// [ErrNewer], [ErrMissing], [ErrMoved] or [ErrNotApproved]; and any error of the store, the
// sealer or the context. Treat an error that is not a Denied as an internal error, and grant
// nothing. It does not say whether a code was right. The exception is a call that makes a
// set of recovery codes, such as Confirm: it begins the set only after a right code, so an
// error from then on tells that the code was right. A user id outside the bounds of
// [store.Record] is an error that matches [store.ErrInvalid].
//
// The methods of a zero Guard, and of the zero Admin, Devices, Messages, ResetRequests,
// ThreeCodes and Directory, return an error that says so.
//
// Do not call a Guard inside a transaction of the application. Its write would wait for that
// transaction or, with a store that takes part in it, be undone with a rollback.
type Guard struct {
	store  store.Store
	sealer Sealer
	config Config
	mark   namespaceMark // of Config.Namespace
	gate   *gate.Gate
	hints  *clockHints
	dry    string // of a dry run, part of the labels of its tokens

	// random and bcrypt are crypto/rand and the real comparison, except in the
	// tests of this module, see package seam.
	random io.Reader
	bcrypt func(hash, text []byte) error
}

// New returns a Guard over the store, sealing with the sealer. It returns an
// error that names the field if the configuration can't be used. It opens no
// connection and starts no goroutine. [Open] does all that an application does at start.
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
	from := seam.Of(sealer)
	return &Guard{
		store:  s,
		sealer: sealer,
		config: config,
		mark:   markOf(config.Namespace),
		gate:   gate.New(runtime.GOMAXPROCS(0)),
		hints:  new(clockHints),
		random: from.Random,
		bcrypt: from.Bcrypt,
	}, nil
}

// moment draws what a decision takes from outside.
func (g *Guard) moment(ctx context.Context) (account.Moment, error) {
	now, err := g.clock()
	if err != nil {
		return account.Moment{}, err
	}
	var fresh [len(account.Moment{}.Fresh)]byte
	err = g.draw(fresh[:])
	return account.Moment{
		Fresh:          fresh,
		Now:            now,
		Origin:         originOf(ctx),
		Tells:          g.config.Notify != nil,
		Unanswered:     g.config.AlertUnanswered,
		AllowSHA1:      g.config.AllowSHA1,
		ReauthDisables: g.config.ReauthDisables,
		UnprovenSetup:  g.config.UnprovenSetup,
		Limits:         g.config.limits(),
	}, err
}

// clock is Now for what decides or writes. It returns an error if no account can keep the
// time: an account that was saved at the zero time might never be read again.
func (g *Guard) clock() (time.Time, error) {
	now := g.Now()
	if !account.CanKeep(now) {
		return now, errors.New("enrollment: Config.Now returns a time that can't be stored")
	}
	return now, nil
}

// check returns an error if the Guard was not made by New: then it has nothing to
// work with. The zero values of the types that belong to a Guard have none.
func (g *Guard) check() error {
	if g == nil || g.store == nil {
		return errors.New("enrollment: the Guard is zero: make one with New")
	}
	return nil
}

// draw fills each of the buffers with random bytes.
func (g *Guard) draw(buffers ...[]byte) error {
	for _, b := range buffers {
		if _, err := io.ReadFull(g.random, b); err != nil {
			return fmt.Errorf("enrollment: drawing random bytes: %w", err)
		}
	}
	return nil
}

// Issuer returns Config.Issuer, for example for the sheet of recovery codes; see
// [recovery.Sheet]. It returns "" if New has not made the Guard.
func (g *Guard) Issuer() string {
	if g.check() != nil {
		return ""
	}
	return g.config.Issuer
}

// Now returns the time by Config.Now, in UTC and to the microsecond, as all decisions of
// the Guard take it. It returns the zero time if New has not made the Guard.
func (g *Guard) Now() time.Time {
	if g.check() != nil {
		return time.Time{}
	}
	return g.config.Now().UTC().Truncate(time.Microsecond)
}
