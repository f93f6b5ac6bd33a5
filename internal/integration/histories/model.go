package histories

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// A kind is what an operation does.
type kind string

const (
	load  kind = "load"
	save  kind = "save"
	erase kind = "erase"
)

// An outcome is what the caller of an operation was told.
type outcome string

const (
	done     outcome = "done"
	conflict outcome = "conflict"
	refused  outcome = "refused" // to break a deadlock
	unknown  outcome = "unknown" // it may have happened, or happen later
)

// An operation is one call of a store. A load that failed is left out, because it
// changes nothing and says nothing.
type operation struct {
	client       int
	kind         kind
	prev, next   int64 // of a save
	found        int64 // the version that a load has returned; 0 for no record
	outcome      outcome
	cancelled    bool // by the package; its outcome is unknown then
	call, answer time.Duration

	// contended says that another write of the record was under way at the same
	// time. The contract then allows a conflict although the version is the right one.
	contended bool
}

// never is when an operation of unknown outcome has ended at the latest.
const never = time.Duration(1<<63 - 1)

func (o operation) end() time.Duration {
	if o.outcome == unknown {
		return never
	}
	return o.answer
}

// String describes the operation in a failure.
func (o operation) String() string {
	what := ""
	switch o.kind {
	case load:
		what = fmt.Sprint(" found ", o.found)
	case save:
		what = fmt.Sprint(" ", o.prev, " to ", o.next)
	}
	return fmt.Sprintf("%8d µs to %8d µs: client %d: %s%s: %s", o.call.Microseconds(), o.answer.Microseconds(), o.client, o.kind, what, o.outcome)
}

// register is the contract: a record with a version that a Save compares and writes in
// one step. The state is the version, or 0 without a record.
//
// An operation of unknown outcome has no end. So one that never happens counts as one
// that happens after all others.
var register = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, _ any) (bool, any) {
		version, o := state.(int64), input.(operation)
		switch {
		case o.kind == load:
			return o.found == version, version
		case o.outcome == refused:
			return true, version
		case o.kind == erase:
			return true, int64(0)
		case o.outcome == conflict:
			return o.contended || version != o.prev, version
		case version == o.prev:
			return true, o.next
		}
		return o.outcome == unknown, version
	},
}

// judgeTimeout bounds the search for an order. It takes milliseconds at the most.
const judgeTimeout = time.Minute

// ErrWrong says that callers were told what no order of their operations explains. Other errors
// of [Check] say that it could not tell.
var ErrWrong = errors.New("what callers were told is wrong")

// judge returns an error if no order of the operations explains what their callers were
// told. If deadlocks is set, a conflict needs only another write at the same time.
func judge(all []operation, deadlocks bool) error {
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.call, b.call) })
	history := make([]porcupine.Operation, 0, len(all))
	for i, o := range all {
		o.contended = deadlocks && slices.ContainsFunc(slices.Delete(slices.Clone(all), i, i+1), func(other operation) bool {
			return other.kind != load && other.call <= o.end() && o.call <= other.end()
		})
		history = append(history, porcupine.Operation{ClientId: o.client, Input: o, Call: int64(o.call), Return: int64(o.end())})
	}
	switch porcupine.CheckOperationsTimeout(register, history, judgeTimeout) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("no order was found in %v:\n%s", judgeTimeout, describe(all))
	}
	return fmt.Errorf("%w: no order of these operations explains it:\n%s", ErrWrong, describe(all))
}

func describe(all []operation) string {
	var b strings.Builder
	for _, o := range all {
		fmt.Fprintln(&b, o)
	}
	return b.String()
}
