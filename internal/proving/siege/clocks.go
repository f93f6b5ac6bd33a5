package siege

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Clocks lets the clocks of all nodes jump an hour back, and ten years ahead and back, while
// two of them differ by 40 seconds. A code that was used stays used, and the owner gets in a
// minute after the clocks are right. Then the clock of each node does so alone. The owner gets
// in at the others.
func Clocks(t *testing.T, start Starter) {
	t.Helper()
	const hour, years = time.Hour, 10 * 365 * 24 * time.Hour
	s := newSiege(t, start, nil)
	defer s.giveUp()
	use := func(when string, want enrollment.Reason) {
		t.Helper()
		got := make(map[enrollment.Reason]int)
		for node := range s.nodes {
			got[s.use(s.until, node, s.shown("alice", 0))]++
		}
		if accepted := got[""]; want == "" && (accepted != 1 || got[enrollment.ReasonReplayed] != len(s.nodes)-1) {
			t.Errorf("%s: %v, want the code to work at one node", when, got)
		}
		if want != "" && got[want] != len(s.nodes) {
			t.Errorf("%s: %v, want %q at each node", when, got, want)
		}
	}
	s.clock.Advance(time.Minute)
	use("before", "")
	s.clock.Advance(-hour)
	use("an hour back", enrollment.ReasonReplayed)
	s.clock.Advance(hour)
	use("the clocks are right again", enrollment.ReasonReplayed)
	s.clock.Advance(time.Minute)
	use("a minute later", "")
	s.clock.Advance(years)
	use("ten years ahead", "")
	s.clock.Advance(-years)
	use("the clocks are right after ten years", enrollment.ReasonReplayed)
	s.clock.Advance(time.Minute)
	use("a minute after that", "")
	for node := range s.nodes {
		for _, jump := range []time.Duration{-hour, years} {
			s.clock.Advance(time.Minute)
			s.jumped[node] = jump
			code := s.shown("alice", 0)
			if got := s.use(s.until, node, code); got != enrollment.ReasonWrongCode {
				t.Errorf("node %d, alone at %v: %q", node, jump, got)
			}
			if got := s.use(s.until, node+1, code); got != "" {
				t.Errorf("another node, while node %d is at %v: %q", node, jump, got)
			}
			s.jumped[node] = 0
			if got := s.use(s.until, node, code); got != enrollment.ReasonReplayed {
				t.Errorf("node %d, right again after %v: %q", node, jump, got)
			}
		}
	}
	if wrong := s.end(); len(wrong) > 0 || len(s.broken) > 0 {
		t.Error(lines(wrong), lines(s.broken))
	}
}
