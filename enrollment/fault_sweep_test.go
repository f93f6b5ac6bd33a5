package enrollment_test

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
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Each call of the store fails in each way.
func TestFaultsOfStore(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		for _, notify := range faultNotifies(op) {
			faultSweep(t, s, op, notify, faultModes())
		}
	})
}

// faultSweep lets each call fail in each of the modes.
func faultSweep(t *testing.T, s *faultState, op *faultOp, notify func(context.Context, enrollment.Event) error, modes []faultMode) {
	t.Helper()
	ref := newFaultRig(t, s, op, nil, 0).reference(notify)
	for i := range modes {
		m := &modes[i]
		if m.legal == faultDenied && op.reads {
			continue // what is read from a stale store is stale
		}
		hits := 0
		for at := 1; at <= ref.calls; at++ {
			r := newFaultRig(t, s, op, m, at)
			r.ref = ref
			if m.isError == enrollment.ErrCorrupt && r.store.base.Version == 0 {
				continue // there is no record to damage
			}
			out, err := r.run(nil, notify, nil)
			if !r.store.hit {
				continue
			}
			hits++
			if op.reads && m.name == faultAfterLoad && r.store.base.Version != 0 {
				r.same(&out, err) // reading was over, and nobody says that there is nothing
				continue
			}
			r.judge(m.legal, m.isError, &out, err)
		}
		if hits == 0 && m.on == "save" && op.writes {
			t.Errorf("%s, %s: the fault never came", op.name, m.name)
		}
	}
}

// The same with recovery codes that are derived slowly, for what derives.
func TestFaultsOfStoreWithSlowCodes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow derivations")
	}
	tried := map[string][]string{
		"Confirm":                   {"Save's reply is lost"},
		"Answer with recovery code": {"Load fails", "Save says conflict", "Save's reply is lost", "somebody does the same before Save", "the caller hangs up at Save"},
	}
	faultEach(t, recovery.Argon2id, func(op *faultOp) bool { return tried[op.name] != nil }, func(t *testing.T, s *faultState, op *faultOp) {
		modes := slices.DeleteFunc(faultModes(), func(m faultMode) bool { return !slices.Contains(tried[op.name], m.name) })
		if len(modes) != len(tried[op.name]) {
			t.Fatalf("%d of %d faults are known", len(modes), len(tried[op.name]))
		}
		faultSweep(t, s, op, nil, modes)
	})
}

// A caller who has hung up before has done nothing.
func TestFaultsCancelledBefore(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		r := newFaultRig(t, s, op, nil, 0)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g := faultMust[*enrollment.Guard](t)(enrollment.New(r.store, s.ring, s.config()))
		_, err := op.run(ctx, s, g)
		if op.form && modelReason(err) == op.want {
			return
		}
		r.nothing(err, context.Canceled)
	})
}

// A faultSealer fails at one call.
type faultSealer struct {
	*keyring.Ring
	store *faultStore
	on    string // seal or open
	at    int
	err   error

	calls  int
	record bool // the call that failed was about a stored account
}

func (f *faultSealer) fails(on string, scope []byte) error {
	f.calls++
	if f.on != on || f.calls != f.at {
		return nil
	}
	f.store.hit, f.store.late = true, f.store.landed > 0
	f.record = bytes.Contains(scope, []byte("record"))
	return f.err
}

func (f *faultSealer) Seal(ctx context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	if err := f.fails("seal", scope); err != nil {
		return nil, err
	}
	return f.Ring.Seal(ctx, scope, binding, plaintext)
}

func (f *faultSealer) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	if err := f.fails("open", scope); err != nil {
		return nil, err
	}
	return f.Ring.Open(ctx, scope, binding, sealed)
}

// A sealer that fails for a while says nothing about the account.
func TestFaultsOfSealer(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		for _, notify := range faultNotifies(op) {
			ref := newFaultRig(t, s, op, nil, 0).reference(notify)
			for _, on := range []string{"seal", "open"} {
				for at := 1; ; at++ {
					r := newFaultRig(t, s, op, nil, 0)
					r.ref = ref
					r.where += fmt.Sprintf(", %s fails at call %d", on, at)
					sealer := &faultSealer{Ring: s.ring, store: r.store, on: on, at: at, err: errFault}
					out, err := r.run(sealer, notify, nil)
					if sealer.calls < at {
						break
					}
					r.judge(faultNothing, errFault, &out, err)
				}
			}
			// What can't be opened for good is corrupt, or a token of nobody.
			for at := 1; ; at++ {
				r := newFaultRig(t, s, op, nil, 0)
				r.ref = ref
				r.where += fmt.Sprintf(", open refuses at call %d", at)
				sealer := &faultSealer{Ring: s.ring, store: r.store, on: "open", at: at, err: keyring.ErrUnknownKey}
				out, err := r.run(sealer, notify, nil)
				if sealer.calls < at {
					break
				}
				if !r.store.hit || sealer.record || r.store.late {
					r.judge(faultNothing, enrollment.ErrCorrupt, &out, err)
					continue
				}
				switch modelReason(err) {
				case enrollment.ReasonChallengeInvalid, enrollment.ReasonSetupInvalid, enrollment.ReasonProofInvalid:
				case op.want: // the token did not come to matter
				default:
					t.Errorf("%s: %v, want a token that is refused", r.where, err)
				}
				if r.store.landed > 0 {
					t.Errorf("%s: something was written", r.where)
				}
			}
		}
	})
}

// A faultRandom is a source of randomness that fails at one read.
type faultRandom struct {
	store *faultStore
	at    int
	calls int
}

func (f *faultRandom) Read(b []byte) (int, error) {
	if f.calls++; f.calls == f.at {
		f.store.hit, f.store.late = true, f.store.landed > 0
		return 0, errFault
	}
	return rand.Read(b)
}

// Without randomness nothing happens.
func TestFaultsOfRandomness(t *testing.T) {
	t.Parallel()
	faultEach(t, recovery.Fast, nil, func(t *testing.T, s *faultState, op *faultOp) {
		for _, notify := range faultNotifies(op) {
			ref := newFaultRig(t, s, op, nil, 0).reference(notify)
			for at := 1; ; at++ {
				r := newFaultRig(t, s, op, nil, 0)
				r.ref = ref
				r.where += fmt.Sprintf(", randomness fails at read %d", at)
				source := &faultRandom{store: r.store, at: at}
				out, err := r.run(nil, notify, func(g *enrollment.Guard) { g.SetRandom(source) })
				if source.calls < at {
					break
				}
				r.judge(faultNothing, errFault, &out, err)
			}
		}
	})
}

// Whatever Notify does, the answer stays, and so does the event until it is
// taken.
func TestFaultsOfNotify(t *testing.T) {
	t.Parallel()
	bad := map[string]func(context.Context, enrollment.Event) error{
		"fails":  func(context.Context, enrollment.Event) error { return errFault },
		"panics": func(context.Context, enrollment.Event) error { panic(errFault) },
		"hangs":  func(ctx context.Context, _ enrollment.Event) error { <-ctx.Done(); return ctx.Err() },
	}
	events := func(op *faultOp) bool { return op.told || op.once && !op.quiet }
	faultEach(t, recovery.Fast, events, func(t *testing.T, s *faultState, op *faultOp) {
		ref := newFaultRig(t, s, op, nil, 0).reference(faultTaken)
		for name, notify := range bad {
			r := newFaultRig(t, s, op, nil, 0)
			r.ref = ref
			r.where += ", Notify " + name
			told := 0
			_, err := r.run(nil, func(ctx context.Context, e enrollment.Event) error {
				told++
				if !s.now.Equal(e.At) || e.UserID != faultUser {
					t.Errorf("%s: event %+v", r.where, e)
				}
				return notify(ctx, e)
			}, nil)
			due := r.store.record().Due
			if told == 0 || !due.Equal(s.now.Add(time.Minute)) {
				t.Errorf("%s: told %d events, due %v, want the end of the lease", r.where, told, due)
			}

			// Another event that is taken leaves this one where it is.
			taken := 0
			config := s.config()
			config.Notify = func(context.Context, enrollment.Event) error { taken++; return nil }
			g := faultMust[*enrollment.Guard](t)(enrollment.New(r.store.Store, s.ring, config))
			for range 5 {
				_, _ = g.Verify(t.Context(), faultUser, "x", s.wrong())
			}
			if after := r.store.record().Due; !after.Equal(due) {
				t.Errorf("%s: due %v after %d other events were taken, want %v", r.where, after, taken, due)
			}
			if modelReason(err) != op.want || r.store.landed != 1 {
				t.Errorf("%s: %v, saved %d times", r.where, err, r.store.landed)
			}

			// Once the lease is over, whoever writes next delivers it: once.
			config.Now = func() time.Time { return s.now.Add(time.Minute) }
			g = faultMust[*enrollment.Guard](t)(enrollment.New(r.store.Store, s.ring, config))
			for want := range 2 {
				taken = 0
				// One of the two is written, whatever the operation has led to.
				_, begin := g.Begin(t.Context(), faultUser, enrollment.BeginOptions{Account: "a"})
				_, verify := g.Verify(t.Context(), faultUser, "x", s.unknown())
				if modelReason(begin) == "fault" || modelReason(verify) == "fault" {
					t.Fatal(begin, verify)
				}
				if want == 0 && taken < told || want == 1 && taken > 0 {
					t.Errorf("%s: %d events were delivered later, at write %d; %d were not at first", r.where, taken, want+1, told)
				}
			}
		}

		// An acknowledgement that can't be stored costs nothing either.
		r := newFaultRig(t, s, op, &faultMode{on: "save", save: func(context.Context, *faultStore, store.Record, int64) error { return errFault }}, ref.calls)
		r.ref = ref
		r.where += ", the acknowledgement fails"
		out, err := r.run(nil, faultTaken, nil)
		if !r.store.hit || !r.store.late || r.store.record().Due.IsZero() {
			t.Errorf("%s: due %v", r.where, r.store.record().Due)
		}
		r.same(&out, err)
	})
}

// Who waits for the gate can leave, and has decided nothing. Those who come
// after them are served.
func TestFaultsHangUpAtGate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow derivations")
	}
	pick := func(op *faultOp) bool {
		return op.name == "Answer with recovery code" || op.name == "RenewCodes by receipt"
	}
	faultEach(t, recovery.Argon2id, pick, func(t *testing.T, s *faultState, op *faultOp) {
		// The first caller holds the account's turn while its Save hangs.
		entered, release := make(chan struct{}), make(chan struct{})
		hold := &faultMode{on: "save", sticky: true, save: func(ctx context.Context, f *faultStore, _ store.Record, _ int64) error {
			close(entered)
			<-release
			return errFault
		}}
		r := newFaultRig(t, s, op, nil, 0)
		r.store.mode, r.store.at = hold, 1
		g := faultMust[*enrollment.Guard](t)(enrollment.New(r.store, s.ring, s.config()))
		first := make(chan error, 1)
		go func() {
			_, err := g.Verify(context.Background(), faultUser, "first", s.unknown())
			first <- err
		}()
		<-entered
		r.store.mode = nil

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
		if err := <-second; !errors.Is(err, enrollment.ErrBusy) || !errors.Is(err, context.Canceled) || modelReason(err) != "fault" {
			t.Errorf("%s: %v, want ErrBusy and the context's error", r.where, err)
		}
		close(release)
		if err := <-first; modelReason(err) != "fault" {
			t.Errorf("%s: the first caller: %v", r.where, err)
		}
		if !faultEqual(r.store.record(), r.store.base) {
			t.Errorf("%s: the record has changed", r.where)
		}
		// The same Guard: its gate is free again.
		out, err := op.run(context.Background(), s, g)
		if modelReason(err) != op.want {
			t.Errorf("%s: afterwards: %v, want %q", r.where, err, op.want)
		}
		r.effect(&out, err)
	})
}
