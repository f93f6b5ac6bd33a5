package faults

import (
	"bytes"
	"context"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// counted checks that n failures were counted, besides those of somebody else.
func (r *rig) counted(n int) {
	r.t.Helper()
	if elsewhere := r.foreign; elsewhere > 0 && (r.op.counts == "totp" || r.op.counts == "setup" && !r.Enrolled()) {
		n += elsewhere
	}
	if r.op.counts == "near" {
		r.nearMisses(n)
		return
	}
	ctx := context.Background()
	for i := range 5 {
		var err error
		switch r.op.counts {
		case "totp":
			_, err = r.healthy.Verify(ctx, states.User, "count", r.Wrong())
		case "recovery":
			_, err = r.healthy.Verify(ctx, states.User, "count", r.Unknown())
		case "setup":
			_, err = r.healthy.Confirm(ctx, states.User, r.Token, r.Wrong())
		case "delivered":
			_, err = r.healthy.Answer(ctx, enrollment.PurposeSignIn, r.Sent, r.WrongMessage())
		case "address":
			_, err = r.healthy.Messages().Confirm(ctx, states.User, r.Binding, r.WrongMessage())
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
func (r *rig) same(out *result, err error) {
	r.t.Helper()
	if got := proving.ReasonOf(err); got != r.op.want {
		r.t.Errorf("%s: %v, want %q", r.where, err, r.op.want)
		return
	}
	if r.op.writes && r.landed == 0 {
		r.t.Errorf("%s: answered %v, and nothing was stored", r.where, err)
	}
	if _, status := statusOf(context.Background(), r.healthy); status != r.ref.status && !r.lockedByOthers() {
		r.t.Errorf("%s: the account is %s\nwant %s", r.where, status, r.ref.status)
	}
	r.effect(out, err)
}

// lockedByOthers reports whether somebody else has made Status differ.
func (r *rig) lockedByOthers() bool {
	return r.foreign > 0 && !r.Enrolled() && r.Token.IsZero()
}

// nothing checks that the outcome is an error and the account is as it was,
// and that trying again works.
func (r *rig) nothing(err, match error) {
	r.t.Helper()
	if got := proving.ReasonOf(err); got != proving.Fault {
		r.t.Errorf("%s: %v, want an error that is no answer", r.where, err)
		return
	}
	if match != nil && !errors.Is(err, match) {
		r.t.Errorf("%s: %v, want one that matches %v", r.where, err, match)
	}
	if corrupt := errors.Is(err, enrollment.ErrCorrupt); corrupt != (match == enrollment.ErrCorrupt) {
		r.t.Errorf("%s: %v matches ErrCorrupt: %t", r.where, err, corrupt)
	}
	if got := r.record(); !equal(got, r.base) {
		r.t.Errorf("%s: the record has changed", r.where)
	}
	out, err := r.op.run(context.Background(), r.State, r.healthy)
	if got := proving.ReasonOf(err); got != r.op.want {
		r.t.Errorf("%s: the second try: %v, want %q", r.where, err, r.op.want)
		return
	}
	r.effect(&out, err)
}

func equal(a, b store.Record) bool {
	return a.UserID == b.UserID && a.Version == b.Version && a.State == b.State && a.Due.Equal(b.Due) &&
		a.Updated.Equal(b.Updated) && bytes.Equal(a.Data, b.Data)
}

// judge holds the outcome against what is legal.
func (r *rig) judge(legal legal, match error, out *result, err error) {
	r.t.Helper()
	if legal == legalOvertaken {
		if legal = legalSame; r.foreign > 0 {
			legal = legalUnknown
		}
	}
	switch {
	case !r.hit, r.late && legal != legalRival:
		r.same(out, err)
	case legal == legalSame:
		r.same(out, err)
	case legal == legalNothing:
		r.nothing(err, match)
	case legal == legalUnknown && r.landed == 0:
		r.nothing(err, match)
	case legal == legalUnknown:
		if proving.ReasonOf(err) != proving.Fault {
			r.t.Errorf("%s: %v, want an error that is no answer", r.where, err)
		}
		if _, status := statusOf(context.Background(), r.healthy); status != r.ref.status && !r.lockedByOthers() {
			r.t.Errorf("%s: the account is %s\nwant %s", r.where, status, r.ref.status)
		}
		if r.op.want == "" && r.op.held != nil {
			if err := r.op.held(context.Background(), r.State, r.healthy, nil); err != nil {
				r.t.Errorf("%s: half of it was stored: %v", r.where, err)
			}
		}
		if r.op.counts != "" {
			r.counted(1)
		}
	case legal == legalDenied:
		// A stale record: the conditional write protects everything that is
		// granted. A mere denial may be that of the old record.
		if err == nil && r.op.want != "" {
			r.t.Errorf("%s: granted, want %q", r.where, r.op.want)
		}
		if got := proving.ReasonOf(err); got == r.op.want && r.op.writes {
			r.same(out, err)
		} else if got == proving.Fault || r.landed > 0 {
			r.t.Errorf("%s: %v, saved %d times", r.where, err, r.landed)
		}
	case legal == legalRival && r.op.once:
		if err == nil && r.rivalOK && !out.earlier {
			r.t.Errorf("%s: two had it", r.where)
		}
		if err != nil && !r.rivalOK || proving.ReasonOf(err) == proving.Fault {
			r.t.Errorf("%s: nobody had it: %v", r.where, err)
		}
	}
}
