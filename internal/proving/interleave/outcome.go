package interleave

import (
	"fmt"
	"maps"
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

// underOther is the reason of an error that matches [enrollment.ErrMoved]: the operation
// has done nothing.
const underOther enrollment.Reason = "moved"

// An outcome is what the processes were told, and what the accounts were afterwards.
type outcome struct {
	results []result
	again   []int // the operations that were called again at the end
	description
}

// A turn is an operation that is run alone: until it has made so many writes in all or is
// about to erase the record, or to its end if it has not that many parts.
type turn struct{ op, writes int }

// possible returns an error unless the outcome is one of the operations run one after the
// other, and no code was accepted twice. An operation whose process does not know may have
// been done or not; so may a Sweep beside a move.
//
// Erasing and moving take several writes, and a process that does not know may have made
// some of them. Beside each other, each of their writes is an operation of its own: an
// erasure between two writes of a move has no place before or after the move.
func (r *rig) possible(got outcome) error {
	r.t.Helper()
	if err := r.once(got); err != nil {
		return err
	}
	key := fmt.Sprint(got.results, got.again, got.text)
	if r.explained[key] {
		return nil
	}
	var tried []string
	for _, order := range r.orders(got.results) {
		want := r.inOrder(order, got.again)
		if got.agrees(want, order) {
			r.explained[key] = true
			return nil
		}
		tried = append(tried, fmt.Sprintf("%v one by one: %v\n%s", order, want.results, want.text))
	}
	return fmt.Errorf("%v, which no order explains\n%s\n\n%s", got.results, got.text, strings.Join(tried, "\n"))
}

// once returns an error if what can be used once was used twice, or can still be used. The
// orders do not show that: run alone, a move that left an account under two user ids would
// do so as well.
func (r *rig) once(got outcome) error {
	uses := maps.Clone(got.open)
	for i, op := range r.ops {
		if op.spends != "" && got.results[i].reason == "" {
			uses[op.spends]++
		}
	}
	for what, n := range uses {
		if n > 1 {
			return fmt.Errorf("%v: %s works %d times\n%s", got.results, what, n, got.text)
		}
	}
	return nil
}

func (got outcome) agrees(want outcome, order []turn) bool {
	if got.text != want.text {
		return false
	}
	for _, t := range order {
		if !got.results[t.op].unknown() && got.results[t.op] != want.results[t.op] {
			return false
		}
	}
	return true
}

// orders are the orders of operations that could explain the results: all orders of those
// that came to an answer, with and without each of the others. Beside a move, a Sweep may
// find the account under neither id.
func (r *rig) orders(results []result) (orders [][]turn) {
	split := r.split()
	moving := r.moving()
	var extend func(order []turn, made []int)
	extend = func(order []turn, made []int) {
		complete := true
		for i, op := range r.ops {
			if made[i] > op.parts || results[i].reason == underOther {
				continue
			}
			unknown := results[i].unknown()
			complete = complete && (unknown || moving && op.skips)
			for writes := op.parts + 1; writes > made[i]; writes-- {
				if split && writes != made[i]+1 || !split && writes <= op.parts && (!unknown || made[i] > 0) {
					continue
				}
				then := slices.Clone(made)
				then[i] = writes
				extend(append(slices.Clip(order), turn{i, writes}), then)
			}
		}
		if complete {
			orders = append(orders, order)
		}
	}
	extend(nil, make([]int, len(r.ops)))
	return orders
}

// moving reports whether an operation moves the account.
func (r *rig) moving() bool {
	return slices.ContainsFunc(r.ops, func(op operation) bool { return op.moves })
}

// split reports whether each write is an operation of its own.
func (r *rig) split() bool {
	parted, moves := 0, false
	for _, op := range r.ops {
		if op.parts > 0 {
			parted++
		}
		moves = moves || op.moves
	}
	return moves && parted > 1
}

// inOrder runs operations one after the other, once for all schedules.
func (r *rig) inOrder(order []turn, again []int) outcome {
	r.t.Helper()
	key := fmt.Sprint(order, again)
	if known, ok := r.alone[key]; ok {
		return known
	}
	var ops []int
	for _, t := range order {
		if !slices.Contains(ops, t.op) {
			ops = append(ops, t.op)
		}
	}
	left, made := order, make([]int, len(r.ops))
	if again == nil {
		again = []int{}
	}
	results, _ := r.run(ops, r.first, func(waiting map[int]call) (step, bool) {
		for ; len(left) > 0; left = left[1:] {
			t := left[0]
			c, ok := waiting[t.op]
			last := t.writes > r.ops[t.op].parts
			if !ok || !last && (made[t.op] >= t.writes || c.op == proving.Erase) {
				continue
			}
			if c.writes() {
				made[t.op]++
			}
			return step{t.op, c, fine}, true
		}
		return step{}, false
	})
	got := r.finish(results, again)
	r.alone[key] = got
	return got
}
