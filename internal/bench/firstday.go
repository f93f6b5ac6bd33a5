package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A FirstDay is the day on which many people have to set up two-factor authentication,
// and confirm at the same moment.
type FirstDay struct {
	Quiet, Beside LoadTiming // sign-ins of others before and meanwhile

	Done int             // confirmations that made recovery codes
	Busy int             // those that were told so
	Took time.Duration   // until each had an answer
	Peak int64           // bytes of the heap in use at the highest, above what there was before
	each []time.Duration // until a confirmation had its answer, sorted
}

// Quantile returns the time in which this part of the confirmations had an answer.
func (f FirstDay) Quantile(part float64) time.Duration {
	return f.each[min(len(f.each)-1, int(part*float64(len(f.each))))]
}

// A newcomer has scanned a code.
type newcomer struct {
	id    string
	key   totp.Key
	setup enrollment.Setup
}

// FirstDay has that many people confirm at the same moment, by the clock of the
// machine, while members sign in.
func (c *Crew) FirstDay(ctx context.Context, e Effort, people, callers int, members []string) (FirstDay, error) {
	var f FirstDay
	guard, err := enrollment.New(c.accounts, c.population.ring, enrollment.Config{Issuer: "Acme", Notify: taken})
	if err != nil {
		return f, err
	}
	crowd := make([]newcomer, people)
	for i := range crowd {
		n := newcomer{id: fmt.Sprintf("newcomer-%05d", i)}
		n.setup, err = guard.Begin(ctx, n.id, enrollment.BeginOptions{Account: n.id, Proof: enrollment.ByReauth("password")})
		if err != nil {
			return f, err
		}
		if n.key, _, err = totp.ParseURI(n.setup.URI()); err != nil {
			return f, err
		}
		crowd[i] = n
	}
	l := c.SignIns(members)
	n, err := l.calibrate(ctx, callers, e.Turn)
	if err != nil {
		return f, err
	}
	f.Quiet.Name, f.Beside.Name = "quiet", "on a first day"
	for range e.Rounds {
		turn, err := l.Run(ctx, callers, n)
		if err != nil {
			return f, err
		}
		f.Quiet.Turns = append(f.Quiet.Turns, turn)
	}

	watch := watchHeap()
	start := time.Now()
	confirmed := make(chan error, 1)
	go func() { confirmed <- f.confirm(ctx, guard, crowd) }()
	for over := false; !over; {
		turn, failed := l.Run(ctx, callers, n)
		select {
		case err := <-confirmed:
			f.Took, over = time.Since(start), true
			if err := errors.Join(err, failed); err != nil {
				return f, err
			}
		default:
			if failed != nil {
				return f, errors.Join(failed, <-confirmed)
			}
		}
		f.Beside.Turns = append(f.Beside.Turns, turn)
	}
	f.Peak = watch()
	return f, nil
}

// confirm has everybody confirm. An account whose confirmation was told that the Guard
// is busy must be as it was, so that the next code confirms it.
func (f *FirstDay) confirm(ctx context.Context, guard *enrollment.Guard, crowd []newcomer) error {
	var wg sync.WaitGroup
	f.each = make([]time.Duration, len(crowd))
	errs := make([]error, len(crowd))
	for i, n := range crowd {
		wg.Go(func() {
			start := time.Now()
			var code string
			if code, errs[i] = n.key.Code(start); errs[i] != nil {
				return
			}
			_, errs[i] = guard.Confirm(ctx, n.id, n.setup.Token, code)
			f.each[i] = time.Since(start)
		})
	}
	wg.Wait()
	slices.Sort(f.each)
	for i, err := range errs {
		if err == nil {
			f.Done++
			continue
		}
		if !errors.Is(err, enrollment.ErrBusy) {
			return err
		}
		f.Busy++
		s, err := guard.Status(ctx, crowd[i].id)
		if err != nil {
			return err
		}
		if s.State != store.Pending || s.CodesTotal != 0 {
			return fmt.Errorf("after ErrBusy the account is %v and has %d recovery codes", s.State, s.CodesTotal)
		}
	}
	return nil
}
