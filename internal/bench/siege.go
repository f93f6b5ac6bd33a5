package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Siege is sign-ins by app codes while others give wrong recovery codes.
type Siege struct {
	Quiet, Beside LoadTiming // sign-ins without and beside the attack

	Checks int           // recovery codes that were derived
	Took   time.Duration // of the turns with the attack
	Peak   int64         // bytes of the heap in use at the highest, above what there was before
}

// Besiege signs members in, in turns with and without that many attackers. An attacker
// has the passwords of many accounts, and tries one after the other. No member is among
// them.
func (c *Crew) Besiege(ctx context.Context, e Effort, callers, attackers int, members, attacked []string) (s Siege, err error) {
	if !c.Slow {
		return s, errors.New("the recovery codes of the crew cost nothing")
	}
	wrong, err := wrongRecoveryCode()
	if err != nil {
		return s, err
	}
	l := c.SignIns(members)
	n, err := l.calibrate(ctx, callers, e.Turn)
	if err != nil {
		return s, err
	}
	a := &attack{crew: c, ids: attacked, wrong: wrong}
	s.Quiet.Name, s.Beside.Name = "quiet", "beside the attack"
	watch := watchHeap()
	defer func() { s.Peak = watch() }()
	for range e.Rounds {
		quiet, err := l.Run(ctx, callers, n)
		if err != nil {
			return s, err
		}
		end := a.begin(ctx, attackers)
		start := time.Now()
		beside, err := l.Run(ctx, callers, n)
		if err := errors.Join(err, end()); err != nil {
			return s, err
		}
		s.Took += time.Since(start)
		s.Quiet.Turns, s.Beside.Turns = append(s.Quiet.Turns, quiet), append(s.Beside.Turns, beside)
	}
	s.Checks = int(a.checks.Load())
	return s, nil
}

// An attack goes round its accounts.
type attack struct {
	crew   *Crew
	ids    []string
	wrong  string
	next   atomic.Int64
	checks atomic.Int64
}

// begin starts the attackers. It returns when each has begun; end waits until each has
// got its last answer.
func (a *attack) begin(ctx context.Context, attackers int) (end func() error) {
	stop := make(chan struct{})
	errs := make([]error, attackers)
	var wg, begun sync.WaitGroup
	begun.Add(attackers)
	for i := range attackers {
		wg.Go(func() {
			begun.Done()
			for errs[i] == nil {
				select {
				case <-stop:
					return
				default:
					errs[i] = a.try(ctx)
				}
			}
		})
	}
	begun.Wait()
	return func() error { close(stop); wg.Wait(); return errors.Join(errs...) }
}

// try gives a wrong code for the next account.
func (a *attack) try(ctx context.Context) error {
	id := a.ids[int(a.next.Add(1))%len(a.ids)]
	d, err := a.crew.Guard.SignIn(ctx, id, enrollment.SignInOptions{})
	if err != nil {
		return err
	}
	_, err = a.crew.Guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, a.wrong)
	switch {
	case errors.Is(err, enrollment.ReasonWrongCode):
		a.checks.Add(1)
		return nil
	case errors.Is(err, enrollment.ReasonLocked):
		return nil
	}
	return fmt.Errorf("the wrong recovery code was answered with %w", err)
}
