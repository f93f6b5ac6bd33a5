package hosttest

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Lab is what the application is built with while it is tested. Each case has its
// own.
type Lab struct {
	// Clock is the clock of the Guard. An application that decides by the time, for
	// example when a session ends, may use Clock.Now as well.
	Clock *enrollmenttest.Clock

	// Log takes the log of the application. The suite looks for secrets in it. It can
	// be written to by several goroutines.
	Log io.Writer

	mu    sync.Mutex
	guard *enrollment.Guard
	easy  bool // Config.UnprovenSetup
	log   bytes.Buffer
	seen  []exchange // all requests with their answers
	fault error      // what every call of the Guard to its store returns; nil while it works
	saved func(userID string)
	addrs int // how many browsers there have been
}

func newLab() *Lab {
	l := &Lab{Clock: enrollmenttest.NewClock(time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC))}
	l.Log = logOf{l}
	return l
}

// NewGuard is what the application calls instead of [enrollment.New]. The Guard tells
// the time by Clock. Its recovery codes have the scheme recovery.Fast, so that no case
// waits for a derivation, and SHA-1 is allowed even if FIPS 140-3 is enforced (with Go
// 1.26). All else is as config says.
func (l *Lab) NewGuard(s store.Store, sealer enrollment.Sealer, config enrollment.Config) (*enrollment.Guard, error) {
	config.Now = l.Clock.Now
	config.RecoveryScheme = recovery.Fast
	config.AllowSHA1 = config.AllowSHA1 || fips.Exempts
	if s != nil {
		s = watched{l, s}
	}
	guard, err := enrollment.New(s, sealer, config)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.guard, l.easy = guard, config.UnprovenSetup
	}
	return guard, err
}

// breakStore makes every call of the Guard to its store return err; nil ends that.
func (l *Lab) breakStore(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = err
}

// onSave has f called after each record that the Guard has saved; nil ends that.
func (l *Lab) onSave(f func(userID string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saved = f
}

// record notes a request and its answer.
func (l *Lab) record(x exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, x)
}

// exchanges returns what was recorded so far.
func (l *Lab) exchanges() []exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]exchange(nil), l.seen...)
}

// logged returns what was written to Log so far.
func (l *Lab) logged() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String()
}

// logOf is the Log of a Lab.
type logOf struct{ lab *Lab }

func (w logOf) Write(b []byte) (int, error) {
	w.lab.mu.Lock()
	defer w.lab.mu.Unlock()
	return w.lab.log.Write(b)
}

// watched is the store of the application as its Guard sees it.
type watched struct {
	lab *Lab
	store.Store
}

func (w watched) broken() error {
	w.lab.mu.Lock()
	defer w.lab.mu.Unlock()
	return w.lab.fault
}

func (w watched) Load(ctx context.Context, userID string) (store.Record, error) {
	if err := w.broken(); err != nil {
		return store.Record{}, err
	}
	return w.Store.Load(ctx, userID)
}

func (w watched) Save(ctx context.Context, r store.Record, prev int64) error {
	if err := w.broken(); err != nil {
		return err
	}
	err := w.Store.Save(ctx, r, prev)
	w.lab.mu.Lock()
	saved := w.lab.saved
	w.lab.mu.Unlock()
	if err == nil && saved != nil {
		saved(r.UserID)
	}
	return err
}

// Erase implements [store.Eraser]. If the store of the application does not, it
// returns what a Guard returns then.
func (w watched) Erase(ctx context.Context, userID string) error {
	eraser, ok := w.Store.(store.Eraser)
	if !ok {
		return enrollment.ErrNoEraser
	}
	if err := w.broken(); err != nil {
		return err
	}
	return eraser.Erase(ctx, userID)
}
