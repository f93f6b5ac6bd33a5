package faults

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Whatever Notify does, the answer stays, and so does the event until it is
// taken.
func TestFaultsOfNotify(t *testing.T, open proving.Open) { faultsOfNotify(t, open, proving.Every) }

func faultsOfNotify(t *testing.T, open proving.Open, some proving.Share) {
	bad := map[string]notify{
		"fails":  func(context.Context, enrollment.Event) error { return errFault },
		"panics": func(context.Context, enrollment.Event) error { panic(errFault) },
		"hangs":  func(ctx context.Context, _ enrollment.Event) error { <-ctx.Done(); return ctx.Err() },
	}
	events := func(op *operation) bool {
		return (op.told || op.once && !op.quiet) && some.Has(t.Name(), op.name)
	}
	each(t, open, recovery.Fast, events, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
		ref := newRig(t, open, s, op, nil, 0).reference(states.Taken)
		for name, tell := range bad {
			r := newRig(t, open, s, op, nil, 0)
			r.ref = ref
			r.where += ", Notify " + name
			told := 0
			_, err := r.run(func(ctx context.Context, e enrollment.Event) error {
				told++
				if !s.Now().Equal(e.At) || e.UserID != states.User {
					t.Errorf("%s: event %+v", r.where, e)
				}
				return tell(ctx, e)
			})
			due := r.record().Due
			if told == 0 || !due.Equal(s.Now().Add(time.Minute)) {
				t.Errorf("%s: told %d events, due %v, want the end of the lease", r.where, told, due)
			}

			// Another event that is taken leaves this one where it is.
			taken := 0
			g := r.NodeOver(r.Store.Straight, r.Keys, func(c *enrollment.Config) {
				c.Notify = func(context.Context, enrollment.Event) error { taken++; return nil }
			})
			for range 5 {
				_, _ = g.Verify(t.Context(), states.User, "x", s.Wrong())
			}
			if after := r.record().Due; !after.Equal(due) {
				t.Errorf("%s: due %v after %d other events were taken, want %v", r.where, after, taken, due)
			}
			if proving.ReasonOf(err) != op.want || r.landed != 1 {
				t.Errorf("%s: %v, saved %d times", r.where, err, r.landed)
			}

			// Once the lease is over, the next writer delivers it, once.
			r.Pass(time.Minute)
			for want := range 2 {
				taken = 0
				// One of the two is written, whatever the operation has led to.
				_, begin := g.Begin(t.Context(), states.User, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
				_, verify := g.Verify(t.Context(), states.User, "x", s.Unknown())
				if proving.ReasonOf(begin) == proving.Fault || proving.ReasonOf(verify) == proving.Fault {
					t.Fatal(begin, verify)
				}
				if want == 0 && taken < told || want == 1 && taken > 0 {
					t.Errorf("%s: %d events were delivered later, at write %d; %d were not at first", r.where, taken, want+1, told)
				}
			}
		}

		// An acknowledgement that can't be stored costs nothing either.
		acknowledgement := &mode{on: proving.Save, before: func(_ context.Context, _ *rig, c *proving.Call) { c.Err = errFault }}
		r := newRig(t, open, s, op, acknowledgement, ref.calls)
		r.ref = ref
		r.where += ", the acknowledgement fails"
		out, err := r.run(states.Taken)
		if !r.hit || !r.late || r.record().Due.IsZero() {
			t.Errorf("%s: due %v", r.where, r.record().Due)
		}
		r.same(&out, err)
	})
}

// Who waits for the gate can leave, and has decided nothing. Those who come
// after them are served.
func TestFaultsHangUpAtGate(t *testing.T, open proving.Open) {
	if testing.Short() {
		t.Skip("slow derivations")
	}
	pick := func(op *operation) bool {
		return op.name == "Answer with recovery code" || op.name == "RenewCodes by receipt"
	}
	each(t, open, recovery.Argon2id, pick, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
		// The first caller holds the account's turn while its Save hangs.
		entered, release := make(chan struct{}), make(chan struct{})
		r := newRig(t, open, s, op, nil, 0)
		r.Store.Nth(proving.Save, 1, func(_ context.Context, c *proving.Call) {
			close(entered)
			<-release
			c.Err = errFault
		})
		g := r.NodeOver(r.Store, r.keys)
		first := make(chan error, 1)
		go func() {
			_, err := g.Verify(context.Background(), states.User, "first", s.Unknown())
			first <- err
		}()
		<-entered

		ctx, cancel := context.WithCancel(context.Background())
		second := make(chan error, 1)
		go func() {
			_, err := op.run(ctx, s, g)
			second <- err
		}()
		synctest.Wait()
		select {
		case err := <-second:
			t.Fatalf("%s: did not wait: %v", r.where, err)
		default:
		}
		cancel()
		if err := <-second; !errors.Is(err, enrollment.ErrBusy) || !errors.Is(err, context.Canceled) || proving.ReasonOf(err) != proving.Fault {
			t.Errorf("%s: %v, want ErrBusy and the context's error", r.where, err)
		}
		close(release)
		if err := <-first; proving.ReasonOf(err) != proving.Fault {
			t.Errorf("%s: the first caller: %v", r.where, err)
		}
		if !equal(r.record(), r.base) {
			t.Errorf("%s: the record has changed", r.where)
		}
		// The same Guard: its gate is free again.
		out, err := op.run(context.Background(), s, g)
		if proving.ReasonOf(err) != op.want {
			t.Errorf("%s: afterwards: %v, want %q", r.where, err, op.want)
		}
		r.effect(&out, err)
	})
}
