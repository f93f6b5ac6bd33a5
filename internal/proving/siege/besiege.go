package siege

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// besiege runs rounds, and strikes in every other one. If all strikes come late, there are more
// rounds.
func (s *siege) besiege(t *testing.T, l Length) Figures {
	t.Helper()
	defer s.giveUp()
	began := time.Now()
	n := 0
	for ; (!l.over(n, began) || s.allLate() && n < l.Rounds+more) && !s.over(); n++ {
		strikes := n%2 == 1 && s.strike != nil
		if strikes && l.Ready != nil {
			l.Ready()
		}
		s.round(n, strikes)
	}
	s.end()
	t.Logf("%d rounds, strikes that came late: %d, outcomes %v, acknowledged %v", n, s.late, s.tries, s.acked)
	if s.over() {
		s.miss("it was given up after %d rounds", n)
	} else {
		s.complete()
	}
	f := Figures{
		Strikes: int(s.strikes.Load()), Faults: s.tries[string(proving.Fault)], Calls: s.calls.Load(),
		Wrong: s.wrong, Broken: s.broken,
	}
	for _, n := range s.tries {
		f.Answered += n
	}
	f.Answered -= f.Faults
	for _, u := range s.uses {
		f.Accepted += min(u.accepted, 1)
	}
	return f
}

// more is how many rounds are added at most while all strikes come late.
const more = 20

// allLate reports whether no strike was in the middle of a round.
func (s *siege) allLate() bool { return s.late > 0 && int64(s.late) == s.strikes.Load() }

// complete sees that everything was tried.
func (s *siege) complete() {
	if s.allLate() {
		s.miss("no strike came in the middle of a round")
	}
	for _, d := range mix {
		if s.acked[d] == 0 {
			s.miss("%s was never acknowledged", d)
		}
	}
	if s.tries[string(enrollment.ReasonReplayed)] == 0 {
		s.miss("nothing was tried twice")
	}
}
