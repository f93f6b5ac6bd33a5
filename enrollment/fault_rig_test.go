package enrollment_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A rig runs an operation under a fault and judges what came of it.

// A faultRig is one run of an operation.
type faultRig struct {
	t       *testing.T
	where   string
	state   *faultState
	op      *faultOp
	store   *faultStore
	healthy *enrollment.Guard
	ref     *faultRef
}

// A faultRef is the outcome when nothing fails.
type faultRef struct {
	status string
	calls  int
}

func newFaultRig(t *testing.T, s *faultState, op *faultOp, mode *faultMode, at int) *faultRig {
	t.Helper()
	r := &faultRig{t: t, state: s, op: op, where: fmt.Sprintf("%s in state %s", op.name, s.name)}
	mem := memory.New()
	for _, rec := range s.records {
		if err := mem.Save(t.Context(), rec, 0); err != nil {
			t.Fatal(err)
		}
	}
	r.healthy = faultMust[*enrollment.Guard](t)(enrollment.New(mem, s.ring, s.config()))
	r.store = &faultStore{Store: mem, t: t, state: s, op: op, mode: mode, at: at, rival: r.healthy}
	r.store.base = r.store.record()
	if mode != nil {
		r.where += fmt.Sprintf(", %s, call %d", mode.name, at)
	}
	return r
}

// run carries the operation out over the faulty store, and returns whatever a
// host may have changed in it.
func (r *faultRig) run(sealer enrollment.Sealer, notify func(context.Context, enrollment.Event) error, adjust func(*enrollment.Guard)) (faultOut, error) {
	r.t.Helper()
	config := r.state.config()
	config.Notify = notify
	var seen []enrollment.Observation
	config.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
	if sealer == nil {
		sealer = r.state.ring
	}
	g := faultMust[*enrollment.Guard](r.t)(enrollment.New(r.store, sealer, config))
	if adjust != nil {
		adjust(g)
	}
	box := new(faultBox)
	ctx, cancel := context.WithTimeout(box.context(context.Background()), time.Second)
	defer cancel()
	r.store.cancel = cancel
	out, err := r.op.run(ctx, r.state, g)
	r.sent(box, err)
	r.observed(seen, err)
	return out, err
}

// sent checks that a message was sent if the account has counted it, and only
// then.
func (r *faultRig) sent(box *faultBox, err error) {
	r.t.Helper()
	want := 0
	if r.op.sends && err == nil {
		want = 1
	}
	if n := len(box.sent); n != want {
		r.t.Errorf("%s: %d messages were sent, with %v", r.where, n, err)
	}
	if len(box.sent) > 0 && r.store.landed == 0 {
		r.t.Errorf("%s: a message was sent that nobody has counted", r.where)
	}
}

// observed checks that the operation was counted once, as what it returned.
func (r *faultRig) observed(seen []enrollment.Observation, err error) {
	r.t.Helper()
	want := string(modelReason(err))
	switch {
	case err == nil:
		want = "ok"
	case errors.Is(err, enrollment.ErrBusy):
		want = "busy"
	case want == "fault":
		want = "error"
	}
	seen = slices.DeleteFunc(seen, func(o enrollment.Observation) bool { return o.Operation == "" })
	if r.op.reads || strings.HasPrefix(r.op.name, "SignIn") && len(seen) == 0 && want == "error" {
		if len(seen) > 0 {
			r.t.Errorf("%s: observed %+v", r.where, seen)
		}
		return
	}
	if len(seen) != 1 || seen[0].Outcome != want {
		r.t.Errorf("%s: observed %+v, returned %v", r.where, seen, err)
	}
}

// reference runs the operation without a fault, and holds it against what the
// table of operations says.
func (r *faultRig) reference(notify func(context.Context, enrollment.Event) error) *faultRef {
	r.t.Helper()
	out, err := r.run(nil, notify, nil)
	if got := modelReason(err); got != r.op.want {
		r.t.Fatalf("%s: %v, want %q", r.where, err, r.op.want)
	}
	if wrote := r.store.landed > 0; wrote != r.op.writes {
		r.t.Fatalf("%s: written: %t, want %t", r.where, wrote, r.op.writes)
	}
	_, status := faultStatus(context.Background(), r.healthy)
	ref := &faultRef{status: status, calls: r.store.calls}
	r.effect(&out, err)
	return ref
}

// effect checks that what was answered is what the store holds.
func (r *faultRig) effect(out *faultOut, err error) {
	r.t.Helper()
	if err == nil && r.op.held != nil {
		if err := r.op.held(context.Background(), r.state, r.healthy, out); err != nil {
			r.t.Errorf("%s: a success that does not hold: %v", r.where, err)
		}
	}
	if err != nil && r.op.counts != "" {
		r.counted(1)
	}
}

// counted checks that n failures were counted, besides those of somebody else.
func (r *faultRig) counted(n int) {
	r.t.Helper()
	if elsewhere := r.store.foreign; elsewhere > 0 && (r.op.counts == "totp" || r.op.counts == "setup" && !r.state.enrolled()) {
		n += elsewhere
	}
	ctx := context.Background()
	for i := range 5 {
		var err error
		switch r.op.counts {
		case "totp":
			_, err = r.healthy.Verify(ctx, faultUser, "count", r.state.wrong())
		case "recovery":
			_, err = r.healthy.Verify(ctx, faultUser, "count", r.state.unknown())
		case "setup":
			_, err = r.healthy.Confirm(ctx, faultUser, r.state.token, r.state.wrong())
		case "delivered":
			_, err = r.healthy.Answer(ctx, enrollment.PurposeSignIn, r.state.sent, r.state.wrongMessage())
		case "address":
			_, err = faultMessages(r.state, r.healthy).Confirm(ctx, faultUser, r.state.binding, r.state.wrongMessage())
		}
		var denied *enrollment.Denied
		if !errors.As(err, &denied) || denied.Reason != enrollment.ReasonWrongCode {
			r.t.Errorf("%s: counting: %v", r.where, err)
			return
		}
		if !denied.RetryAt.IsZero() {
			if got := 4 - i; got != n {
				r.t.Errorf("%s: %d failures were counted, want %d", r.where, got, n)
			}
			return
		}
	}
	r.t.Errorf("%s: five wrong codes do not lock", r.where)
}

// same checks that the outcome is the one without the fault.
func (r *faultRig) same(out *faultOut, err error) {
	r.t.Helper()
	if got := modelReason(err); got != r.op.want {
		r.t.Errorf("%s: %v, want %q", r.where, err, r.op.want)
		return
	}
	if r.op.writes && r.store.landed == 0 {
		r.t.Errorf("%s: answered %v, and nothing was stored", r.where, err)
	}
	if _, status := faultStatus(context.Background(), r.healthy); status != r.ref.status && !r.lockedByOthers() {
		r.t.Errorf("%s: the account is %s\nwant %s", r.where, status, r.ref.status)
	}
	r.effect(out, err)
}

// lockedByOthers reports whether somebody else has made Status differ.
func (r *faultRig) lockedByOthers() bool {
	return r.store.foreign > 0 && !r.state.enrolled() && r.state.token == ""
}

// nothing checks that the outcome is an error and the account is as it was,
// and that trying again works.
func (r *faultRig) nothing(err, match error) {
	r.t.Helper()
	if got := modelReason(err); got != "fault" {
		r.t.Errorf("%s: %v, want an error that is no answer", r.where, err)
		return
	}
	if match != nil && !errors.Is(err, match) {
		r.t.Errorf("%s: %v, want one that matches %v", r.where, err, match)
	}
	if corrupt := errors.Is(err, enrollment.ErrCorrupt); corrupt != (match == enrollment.ErrCorrupt) {
		r.t.Errorf("%s: %v matches ErrCorrupt: %t", r.where, err, corrupt)
	}
	if got := r.store.record(); !faultEqual(got, r.store.base) {
		r.t.Errorf("%s: the record has changed", r.where)
	}
	out, err := r.op.run(context.Background(), r.state, r.healthy)
	if got := modelReason(err); got != r.op.want {
		r.t.Errorf("%s: the second try: %v, want %q", r.where, err, r.op.want)
		return
	}
	r.effect(&out, err)
}

func faultEqual(a, b store.Record) bool {
	return a.UserID == b.UserID && a.Version == b.Version && a.State == b.State && a.Due.Equal(b.Due) &&
		a.Updated.Equal(b.Updated) && bytes.Equal(a.Data, b.Data)
}

// judge holds the outcome against what is legal.
func (r *faultRig) judge(legal faultLegal, match error, out *faultOut, err error) {
	r.t.Helper()
	if legal == faultOvertaken {
		if legal = faultSame; r.store.foreign > 0 {
			legal = faultUnknown
		}
	}
	switch {
	case !r.store.hit, r.store.late && legal != faultRival:
		r.same(out, err)
	case legal == faultSame:
		r.same(out, err)
	case legal == faultNothing:
		r.nothing(err, match)
	case legal == faultUnknown && r.store.landed == 0:
		r.nothing(err, match)
	case legal == faultUnknown:
		if modelReason(err) != "fault" {
			r.t.Errorf("%s: %v, want an error that is no answer", r.where, err)
		}
		if _, status := faultStatus(context.Background(), r.healthy); status != r.ref.status && !r.lockedByOthers() {
			r.t.Errorf("%s: the account is %s\nwant %s", r.where, status, r.ref.status)
		}
		if r.op.want == "" && r.op.held != nil {
			if err := r.op.held(context.Background(), r.state, r.healthy, nil); err != nil {
				r.t.Errorf("%s: half of it was stored: %v", r.where, err)
			}
		}
		if r.op.counts != "" {
			r.counted(1)
		}
	case legal == faultDenied:
		// A stale record: the conditional write protects everything that is
		// granted. A mere denial may be that of the old record.
		if err == nil && r.op.want != "" {
			r.t.Errorf("%s: granted, want %q", r.where, r.op.want)
		}
		if got := modelReason(err); got == r.op.want && r.op.writes {
			r.same(out, err)
		} else if got == "fault" || r.store.landed > 0 {
			r.t.Errorf("%s: %v, saved %d times", r.where, err, r.store.landed)
		}
	case legal == faultRival && r.op.once:
		if err == nil && r.store.rivalOK {
			r.t.Errorf("%s: two had it", r.where)
		}
		if err != nil && !r.store.rivalOK || modelReason(err) == "fault" {
			r.t.Errorf("%s: nobody had it: %v", r.where, err)
		}
	}
}

// faultEach runs f for every operation, each in a bubble of its own.
func faultEach(t *testing.T, scheme recovery.Scheme, pick func(op *faultOp) bool, f func(t *testing.T, s *faultState, op *faultOp)) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("in FIPS 140-3 mode crypto/rand can't be seeded by the clock of a bubble")
	}
	states := map[string]*faultState{}
	ops := faultOps()
	for i := range ops {
		if pick != nil && !pick(&ops[i]) {
			continue
		}
		if states[ops[i].state] == nil {
			states[ops[i].state] = newFaultState(t, ops[i].state, scheme)
		}
	}
	for i := range ops {
		op := &ops[i]
		if pick != nil && !pick(op) {
			continue
		}
		s := states[op.state]
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, s, op) })
		})
	}
}

// faultNotifies are the ways in which an operation is run: without Notify, if
// it can be, and with it.
func faultNotifies(op *faultOp) []func(context.Context, enrollment.Event) error {
	if op.notify {
		return []func(context.Context, enrollment.Event) error{faultTaken}
	}
	return []func(context.Context, enrollment.Event) error{nil, faultTaken}
}

func faultTaken(context.Context, enrollment.Event) error { return nil }
