package interleave

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A step lets one process make its next call of the store.
type step struct {
	process int
	call    call
	fault   fault
}

// commutes reports whether the steps of two processes come out the same in either order,
// and each can be taken after the other: a schedule has one fault at most.
func (s step) commutes(with step) bool {
	switch {
	case s.process == with.process, s.fault != fine && with.fault != fine:
		return false
	case s.fault.idle(), with.fault.idle():
		return true
	}
	return s.call.apart(with.call)
}

// choices are the steps that can be taken, but for those asleep.
func choices(waiting map[int]call, faults bool, asleep []step) (all []step) {
	for _, i := range slices.Sorted(maps.Keys(waiting)) {
		all = append(all, step{i, waiting[i], fine})
		if faults {
			for _, f := range faultsAt(waiting[i]) {
				all = append(all, step{i, waiting[i], f})
			}
		}
	}
	return slices.DeleteFunc(all, func(s step) bool { return slices.Contains(asleep, s) })
}

// fallAsleep returns the steps that need not be taken once this one was taken: those that
// were taken in its place before, and slept already, as long as they commute with it. What
// they lead to was walked with the two the other way round.
func fallAsleep(asleep, before []step, taken step) []step {
	return slices.DeleteFunc(slices.Concat(asleep, before), func(s step) bool { return !s.commutes(taken) })
}

// A path is a way through the tree of schedules: at each fork, which of how many
// branches was taken.
type path struct {
	forks []fork
	at    int  // the next fork
	here  part // what is noted there, if no way before has come to it
	err   error
}

type fork struct {
	taken, of int
	part      part // what was noted there
}

// ahead reports whether no way before has come to this fork.
func (p *path) ahead() bool { return p.at == len(p.forks) }

// from is where this way parts from the one before; at first, if there was none.
func (p *path) from(first part) part {
	if n := len(p.forks); n > 0 && p.forks[n-1].of > 0 {
		return p.forks[n-1].part
	}
	return first
}

// choose returns which of n branches is taken at this fork.
func (p *path) choose(n int) int {
	if p.ahead() {
		p.forks = append(p.forks, fork{part: p.here})
	}
	f := &p.forks[p.at]
	if f.of != 0 && f.of != n {
		panic(fmt.Sprintf("interleave: %d branches at fork %d of %s, where there were %d", n, p.at, p, f.of))
	}
	f.of = n
	p.at++
	if f.taken >= n { // it was read, and is of something else
		p.err = fmt.Errorf("interleave: there are %d branches at fork %d of the schedule %s", n, p.at-1, p)
		return 0
	}
	return f.taken
}

// fits returns an error unless the way led from the first fork to the last.
func (p *path) fits() error {
	if p.err == nil && p.at < len(p.forks) {
		return fmt.Errorf("interleave: the schedule %s ends after %d forks", p, p.at)
	}
	return p.err
}

// next turns to the next way, and reports whether there is one.
func (p *path) next() bool {
	p.at = 0
	for len(p.forks) > 0 {
		last := &p.forks[len(p.forks)-1]
		if last.taken++; last.taken < last.of {
			return true
		}
		p.forks = p.forks[:len(p.forks)-1]
	}
	return false
}

// String returns the branches that were taken, for [Options].Play.
func (p *path) String() string {
	var taken []string
	for _, f := range p.forks {
		taken = append(taken, strconv.Itoa(f.taken))
	}
	return strings.Join(taken, ".")
}

// parsePath reads what String returned.
func parsePath(text string) (*path, error) {
	p := new(path)
	for branch := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(branch)
		if err != nil {
			return nil, fmt.Errorf("interleave: the schedule %q: %w", text, err)
		}
		p.forks = append(p.forks, fork{taken: n})
	}
	return p, nil
}
