package interleave

import (
	"fmt"
	"strconv"
	"strings"
)

// A step lets one process make its next call of the store.
type step struct {
	process int
	fault   fault
}

// A path is a way through the tree of schedules: at each fork, which of how many
// branches was taken.
type path struct {
	forks []fork
	at    int // the next fork
	err   error
}

type fork struct{ taken, of int }

// choose returns which of n branches is taken at this fork.
func (p *path) choose(n int) int {
	if p.at == len(p.forks) {
		p.forks = append(p.forks, fork{})
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
