// Package faults runs every operation of a Guard while something around it
// fails: the store, the sealer, the source of randomness, Notify, the caller's
// patience. For each place at which it can fail, the outcome has to be legal: a
// success only if the store holds it, an answer only if it was committed, and
// after an error an account that is as it was or as it should be, never half.
//
// One fault can't be noticed, and is not tested: a store that says ErrNotFound
// for a record that it has. SignInOptions.Enrolled is for that.
//
// The tests run in bubbles of testing/synctest, so that a store that hangs
// costs no time. A store that they are given has to live in one.
package faults

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Tests are the faults.
var Tests = []proving.Test{
	{Name: "TestFaultsOfStore", Run: TestFaultsOfStore},
	{Name: "TestFaultsOfStoreWithSlowCodes", Run: TestFaultsOfStoreWithSlowCodes},
	{Name: "TestFaultsCancelledBefore", Run: TestFaultsCancelledBefore},
	{Name: "TestFaultsOfSealer", Run: TestFaultsOfSealer},
	{Name: "TestFaultsOfRandomness", Run: TestFaultsOfRandomness},
	{Name: "TestFaultsOfNotify", Run: TestFaultsOfNotify},
	{Name: "TestFaultsHangUpAtGate", Run: TestFaultsHangUpAtGate},
	{Name: "TestFaultsOfSender", Run: TestFaultsOfSender},
	{Name: "TestFaultsOfRefusals", Run: TestFaultsOfRefusals},
	{Name: "TestFaultsOfErase", Run: TestFaultsOfErase},
	{Name: "TestFaultsOfMove", Run: TestFaultsOfMove},
}

// Each call of the store fails in each way.
func TestFaultsOfStore(t *testing.T, open proving.Open) {
	each(t, recovery.Fast, nil, func(t *testing.T, s *states.State, op *operation) {
		for _, tell := range notifies(op) {
			sweep(t, open, s, op, tell, modes())
		}
	})
}

// sweep lets each call fail in each of the modes.
func sweep(t *testing.T, open proving.Open, s *states.State, op *operation, tell notify, modes []mode) {
	t.Helper()
	ref := newRig(t, open, s, op, nil, 0).reference(tell)
	for i := range modes {
		m := &modes[i]
		if m.legal == legalDenied && op.reads {
			continue // what is read from a stale store is stale
		}
		hits := 0
		for at := 1; at <= ref.calls; at++ {
			r := newRig(t, open, s, op, m, at)
			r.ref = ref
			if m.isError == enrollment.ErrCorrupt && r.base.Version == 0 {
				continue // there is no record to damage
			}
			out, err := r.run(tell)
			if !r.hit {
				continue
			}
			hits++
			if op.reads && m.name == hangsUpAfterLoad && r.base.Version != 0 {
				r.same(&out, err) // reading was over, and nobody says that there is nothing
				continue
			}
			r.judge(m.legal, m.isError, &out, err)
		}
		if hits == 0 && m.on == proving.Save && op.writes {
			t.Errorf("%s, %s: the fault never came", op.name, m.name)
		}
	}
}

// The same with recovery codes that are derived slowly, for what derives.
func TestFaultsOfStoreWithSlowCodes(t *testing.T, open proving.Open) {
	if testing.Short() {
		t.Skip("slow derivations")
	}
	tried := map[string][]string{
		"Confirm":                   {"Save's reply is lost"},
		"Answer with recovery code": {"Load fails", "Save says conflict", "Save's reply is lost", "somebody does the same before Save", "the caller hangs up at Save"},
	}
	each(t, recovery.Argon2id, func(op *operation) bool { return tried[op.name] != nil }, func(t *testing.T, s *states.State, op *operation) {
		some := slices.DeleteFunc(modes(), func(m mode) bool { return !slices.Contains(tried[op.name], m.name) })
		if len(some) != len(tried[op.name]) {
			t.Fatalf("%d of %d faults are known", len(some), len(tried[op.name]))
		}
		sweep(t, open, s, op, nil, some)
	})
}

// A caller who has hung up before has done nothing.
func TestFaultsCancelledBefore(t *testing.T, open proving.Open) {
	each(t, recovery.Fast, nil, func(t *testing.T, s *states.State, op *operation) {
		r := newRig(t, open, s, op, nil, 0)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g := r.NodeOver(r.Store, r.keys)
		_, err := op.run(ctx, s, g)
		if op.form && proving.ReasonOf(err) == op.want {
			return
		}
		r.nothing(err, context.Canceled)
	})
}

// failSealer lets the call that comes at-th fail, if it is one that seals or
// opens, whichever it should be. It returns how many calls there were, and
// whether the one that failed was about a stored account.
func (r *rig) failSealer(on string, at int, err error) (calls *int, record *bool) {
	calls, record = new(int), new(bool)
	fails := func(this string) func(scope, b []byte) error {
		return func(scope, _ []byte) error {
			if *calls++; this != on || *calls != at {
				return nil
			}
			r.strike()
			*record = bytes.Contains(scope, []byte("record"))
			return err
		}
	}
	r.keys.Sealing, r.keys.Opening = fails("seal"), fails("open")
	return calls, record
}

// A sealer that fails for a while says nothing about the account.
func TestFaultsOfSealer(t *testing.T, open proving.Open) {
	each(t, recovery.Fast, nil, func(t *testing.T, s *states.State, op *operation) {
		for _, tell := range notifies(op) {
			ref := newRig(t, open, s, op, nil, 0).reference(tell)
			for _, on := range []string{"seal", "open"} {
				for at := 1; ; at++ {
					r := newRig(t, open, s, op, nil, 0)
					r.ref = ref
					r.where += fmt.Sprintf(", %s fails at call %d", on, at)
					calls, _ := r.failSealer(on, at, errFault)
					out, err := r.run(tell)
					if *calls < at {
						break
					}
					r.judge(legalNothing, errFault, &out, err)
				}
			}
			// What can't be opened for good is corrupt, or a token of nobody.
			for at := 1; ; at++ {
				r := newRig(t, open, s, op, nil, 0)
				r.ref = ref
				r.where += fmt.Sprintf(", open refuses at call %d", at)
				calls, record := r.failSealer("open", at, keyring.ErrUnknownKey)
				out, err := r.run(tell)
				if *calls < at {
					break
				}
				if !r.hit || *record || r.late {
					r.judge(legalNothing, enrollment.ErrCorrupt, &out, err)
					continue
				}
				switch proving.ReasonOf(err) {
				case enrollment.ReasonChallengeInvalid, enrollment.ReasonSetupInvalid, enrollment.ReasonProofInvalid, enrollment.ReasonRenewalInvalid:
				case op.want: // the token did not come to matter
				default:
					t.Errorf("%s: %v, want a token that is refused", r.where, err)
				}
				if r.landed > 0 {
					t.Errorf("%s: something was written", r.where)
				}
			}
		}
	})
}

// A source is a source of randomness that fails at one read.
type source struct {
	r     *rig
	at    int
	calls int
}

func (x *source) Read(b []byte) (int, error) {
	if x.calls++; x.calls == x.at {
		x.r.strike()
		return 0, errFault
	}
	return rand.Read(b)
}

// Without randomness nothing happens.
func TestFaultsOfRandomness(t *testing.T, open proving.Open) {
	each(t, recovery.Fast, nil, func(t *testing.T, s *states.State, op *operation) {
		for _, tell := range notifies(op) {
			ref := newRig(t, open, s, op, nil, 0).reference(tell)
			for at := 1; ; at++ {
				r := newRig(t, open, s, op, nil, 0)
				r.ref = ref
				r.where += fmt.Sprintf(", randomness fails at read %d", at)
				random := &source{r: r, at: at}
				r.keys.Random = random
				out, err := r.run(tell)
				if random.calls < at {
					break
				}
				r.judge(legalNothing, errFault, &out, err)
			}
		}
	})
}

// Whatever Notify does, the answer stays, and so does the event until it is
// taken.
func TestFaultsOfNotify(t *testing.T, open proving.Open) {
	bad := map[string]notify{
		"fails":  func(context.Context, enrollment.Event) error { return errFault },
		"panics": func(context.Context, enrollment.Event) error { panic(errFault) },
		"hangs":  func(ctx context.Context, _ enrollment.Event) error { <-ctx.Done(); return ctx.Err() },
	}
	events := func(op *operation) bool { return op.told || op.once && !op.quiet }
	each(t, recovery.Fast, events, func(t *testing.T, s *states.State, op *operation) {
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

			// Once the lease is over, whoever writes next delivers it: once.
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
	each(t, recovery.Argon2id, pick, func(t *testing.T, s *states.State, op *operation) {
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
