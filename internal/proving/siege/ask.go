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
	r.At = s.clock.Now().Add(offsets[node] + s.jumped[node])
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

// until asks nodes, beginning with this one, until one of them answers. After a fault, the
// next one is asked: it knows of what the others have done only what is stored.
func (s *siege) until(node int, r Request) Reply { return s.among(r, node, node+1, node+2) }

// among is until for these nodes. If none of them answers, the siege is over.
func (s *siege) among(r Request, nodes ...int) Reply {
	faults := 0
	for began := time.Now(); ; {
		a := s.try(nodes[faults%len(nodes)], r)
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

// back waits until each node answers again.
func (s *siege) back() {
	for node := range s.nodes {
		s.among(Request{Do: status, User: racers[0]}, node)
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
