package interleave

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A result is what a process was told.
type result struct {
	reason enrollment.Reason
	detail string
}

// unknown reports that the process does not know whether its operation was done:
// it was told of a fault, or is no more.
func (r result) unknown() bool { return r.reason == proving.Fault }

func (r result) String() string {
	if r.reason == "" {
		return "ok " + r.detail
	}
	return string(r.reason)
}

// An outcome is what the processes were told, and what the account was afterwards.
type outcome struct {
	results []result
	state   string
}

// A turn is an operation that is run alone.
type turn struct {
	op   int
	half bool // only up to its call of Erase
}

// possible returns an error unless the outcome is one of the operations run one
// after the other. One whose process does not know may have been done or not. An
// erasure, which is no single write, may be done by half.
func (r *rig) possible(got outcome) error {
	r.t.Helper()
	var tried []string
	for _, order := range r.orders(got.results) {
		want := r.inOrder(order)
		if got.agrees(want, order) {
			return nil
		}
		tried = append(tried, fmt.Sprintf("%v one by one: %v\n%s", order, want.results, want.state))
	}
	return fmt.Errorf("%v, which no order explains\n%s\n\n%s", got.results, got.state, strings.Join(tried, "\n"))
}

func (got outcome) agrees(want outcome, order []turn) bool {
	if got.state != want.state {
		return false
	}
	for _, t := range order {
		if !got.results[t.op].unknown() && got.results[t.op] != want.results[t.op] {
			return false
		}
	}
	return true
}

// orders are the orders of operations that could explain the results: all orders
// of those that came to an answer, with and without each of the others.
func (r *rig) orders(results []result) (orders [][]turn) {
	var extend func(order []turn, left []int)
	extend = func(order []turn, left []int) {
		complete := true
		for i, op := range left {
			complete = complete && results[op].unknown()
			others := slices.Concat(left[:i], left[i+1:])
			extend(append(slices.Clip(order), turn{op, false}), others)
			if results[op].unknown() && r.ops[op].name == erase.name {
				extend(append(slices.Clip(order), turn{op, true}), others)
			}
		}
		if complete {
			orders = append(orders, order)
		}
	}
	extend(nil, r.all())
	return orders
}

// inOrder runs operations one after the other, once for all schedules.
func (r *rig) inOrder(order []turn) outcome {
	r.t.Helper()
	key := fmt.Sprint(order)
	if known, ok := r.alone[key]; ok {
		return known
	}
	var ops []int
	for _, t := range order {
		ops = append(ops, t.op)
	}
	got := r.run(ops, func(waiting map[int]proving.Op) step {
		for _, t := range order {
			switch op, ok := waiting[t.op]; {
			case ok && t.half && op == proving.Erase:
				return step{t.op, diesBefore}
			case ok:
				return step{t.op, fine}
			}
		}
		panic("nothing waits")
	})
	r.alone[key] = got
	return got
}
