package siege

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Deadline is how long a request may take.
const Deadline = 30 * time.Second

// patience is how long a database may be away.
const patience = 3 * time.Minute

// try asks a node once, with a while to answer, and notes the outcome.
func (s *siege) try(node int, r Request) Reply {
	ctx, cancel := context.WithTimeout(s.ctx, Deadline)
	defer cancel()
	node %= len(s.nodes)
	r.At = s.clock.Now().Add(offsets[node])
	a, err := s.nodes[node](ctx, r)
	if err != nil {
		a = Reply{Reason: proving.Fault}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[string(a.Reason)]++
	if a.Reason == proving.Fault {
		a.faults = 1
	}
	return a
}

// until asks a node until there is an answer. Without one, the siege is over.
func (s *siege) until(node int, r Request) Reply {
	faults := 0
	for began := time.Now(); ; {
		a := s.try(node, r)
		faults += a.faults
		a.faults = faults
		if a.Reason != proving.Fault || s.over() {
			return a
		}
		if time.Since(began) > s.patience {
			s.miss("%s: %s had no answer for %v", r.User, r.Do, s.patience)
			return a
		}
		time.Sleep(10 * time.Millisecond) // it comes back
	}
}

// An asking asks a node once, as try does, or until there is an answer.
type asking func(node int, r Request) Reply

// over reports whether the siege has to end before its time: the harness has failed, and what
// comes out from now on says nothing about the database.
func (s *siege) over() bool {
	if s.failed() {
		s.giveUp()
	}
	return s.ctx.Err() != nil
}
