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
// costs no time. The stores that they are given stay outside.
package faults

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Tests are the faults.
var Tests = []proving.Test{
	{Name: "TestFaultsOfStore", Run: TestFaultsOfStore, Few: few(proving.Few, faultsOfStore)},
	{Name: "TestFaultsOfStoreWithSlowCodes", Run: TestFaultsOfStoreWithSlowCodes, Once: true},
	{Name: "TestFaultsCancelledBefore", Run: TestFaultsCancelledBefore},
	{Name: "TestFaultsOfSealer", Run: TestFaultsOfSealer, Once: true},
	{Name: "TestFaultsOfRandomness", Run: TestFaultsOfRandomness, Once: true},
	{Name: "TestFaultsOfNotify", Run: TestFaultsOfNotify, Few: few(proving.Some, faultsOfNotify)},
	{Name: "TestFaultsHangUpAtGate", Run: TestFaultsHangUpAtGate, Once: true},
	{Name: "TestFaultsOfSender", Run: TestFaultsOfSender},
	{Name: "TestFaultsOfRefusals", Run: TestFaultsOfRefusals},
	{Name: "TestFaultsOfErase", Run: TestFaultsOfErase, Few: few(proving.Few, faultsOfErase)},
	{Name: "TestFaultsOfMove", Run: TestFaultsOfMove},
}

// few runs a test with a share of its faults.
func few(share proving.Share, test func(t *testing.T, open proving.Open, some proving.Share)) func(t *testing.T, open proving.Open) {
	return func(t *testing.T, open proving.Open) { test(t, open, share) }
}

// Each call of the store fails in each way.
func TestFaultsOfStore(t *testing.T, open proving.Open) { faultsOfStore(t, open, proving.Every) }

func faultsOfStore(t *testing.T, open proving.Open, some proving.Share) {
	each(t, open, recovery.Fast, nil, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
		for i, tell := range notifies(op) {
			sweep(t, open, s, op, tell, slices.DeleteFunc(modes(), func(m mode) bool { return !some.Has(t.Name(), i, m.name) }))
		}
	})
}

// sweep lets each call fail in each of the modes.
func sweep(t *testing.T, open proving.Open, s *states.State, op *operation, tell notify, modes []mode) {
	t.Helper()
	if len(modes) == 0 {
		return
	}
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
	each(t, open, recovery.Argon2id, func(op *operation) bool { return tried[op.name] != nil }, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
		some := slices.DeleteFunc(modes(), func(m mode) bool { return !slices.Contains(tried[op.name], m.name) })
		if len(some) != len(tried[op.name]) {
			t.Fatalf("%d of %d faults are known", len(some), len(tried[op.name]))
		}
		sweep(t, open, s, op, nil, some)
	})
}

// A caller who has hung up before has done nothing.
func TestFaultsCancelledBefore(t *testing.T, open proving.Open) {
	each(t, open, recovery.Fast, nil, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
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
	each(t, open, recovery.Fast, nil, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
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
				case enrollment.ReasonChallengeInvalid, enrollment.ReasonSetupInvalid, enrollment.ReasonProofInvalid, enrollment.ReasonRenewalInvalid, enrollment.ReasonEnrollTokenInvalid:
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
	each(t, open, recovery.Fast, nil, func(t *testing.T, open proving.Open, s *states.State, op *operation) {
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
