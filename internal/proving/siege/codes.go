package siege

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A code is one that is right.
type code struct {
	kind       Deed
	user, text string
	name       string // among all codes of the siege
}

// A use is what has come of a code.
type use struct {
	accepted int
	unknown  int // requests without an answer: each may have used the code
}

// shown is what the user's app shows some steps from now.
func (s *siege) shown(id string, steps int) code {
	at := s.clock.Now().Add(time.Duration(steps) * 30 * time.Second)
	return code{appCode, id, proving.Shown(s.know(id).key, at), fmt.Sprint(id, " step ", at.Unix()/30)}
}

// part lets time pass until no app shows one code twice around a round. Such a code works for
// either step, and would be accepted twice.
func (s *siege) part() {
	const around = 5 // steps: a round is two, and each node takes the codes of three
	for again := true; again; {
		again = false
		for _, user := range slices.Concat(racers, owners) {
			seen := make(map[string]bool)
			for step := -around; step <= around; step++ {
				text := s.shown(user, step).text
				again = again || text != "" && seen[text] // "" if the account has no app
				seen[text] = true
			}
		}
		if again {
			s.clock.Advance(time.Hour)
		}
	}
}

// spend takes the next of the user's recovery codes from the sheet.
func (s *siege) spend(id string) code {
	u, c := s.know(id), code{kind: recoveryCode, user: id}
	if len(u.codes) == 0 {
		s.find(Failed, "%s has no recovery code left", id)
		return c
	}
	c.text, u.codes = u.codes[0], u.codes[1:]
	c.name = id + " recovery code " + c.text
	u.spent = append(u.spent, c)
	return c
}

// use uses a code at a node, after a sign-in or for a user who is signed in, and notes what
// has come of it.
func (s *siege) use(ask asking, node int, c code) enrollment.Reason {
	way := verify
	if node%2 != 0 {
		way = signIn
	}
	r, faults := Request{Do: way, User: c.user, Code: c.text}, 0
	a := ask(node, r)
	// A recovery code that is used between the two steps of a sign-in voids it. That may be
	// one of a node that has died, whose write arrives by itself.
	for again := 0; a.Reason == enrollment.ReasonChallengeVoid && again < 3; again++ {
		faults += a.faults
		a = ask(node, r)
	}
	if a.Reason == "" {
		s.ack(way, c.kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uses[c.name]
	u.unknown += faults + a.faults
	if a.Reason == "" {
		u.accepted++
	}
	s.uses[c.name] = u
	return a.Reason
}

// right looks whether a code is right that was used, for that reason, after all others who
// had it: it was accepted now or before. Newest says that no code of a later step was
// used, which would have used this one up as well.
//
// If it was used before, but nobody was let in, somebody had no answer. Some clients of a
// database send a write once more and tell nobody that the first reply was lost. If somebody
// else writes in between, the node that they work for can't know that the code was used by
// itself. Then it loads a version that was never acknowledged, or one after that.
func (s *siege) right(c code, reason enrollment.Reason, newest bool) {
	if reason != "" && reason != enrollment.ReasonReplayed {
		s.refused(Refused, c.user, "a right code", reason)
		return
	}
	s.mu.Lock()
	u, whole := s.uses[c.name], s.records[c.user].whole()
	s.mu.Unlock()
	if newest && u == (use{}) && whole {
		s.find(Burnt, "%s: %q, and nobody was let in", c.name, reason)
	}
}

// A Version is one of the record of a user.
type Version struct {
	User   string
	Number int64
}

// versions are those of one record.
type versions struct {
	saved  map[int64]bool // that were acknowledged, since the siege began
	loaded []int64        // in this round
}

// whole reports whether each version that was loaded in this round had been acknowledged.
func (x *versions) whole() bool {
	return x == nil || !slices.ContainsFunc(x.loaded, func(v int64) bool { return !x.saved[v] })
}

// record returns the versions of the record of a user.
func (s *siege) record(id string) *versions {
	x := s.records[id]
	if x == nil {
		x = &versions{saved: make(map[int64]bool)}
		s.records[id] = x
	}
	return x
}

// acknowledged takes what was saved.
func (s *siege) acknowledged(v Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(v.User).saved[v.Number] = true
}

// loaded takes what was loaded.
func (s *siege) loaded(v Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.record(v.User)
	x.loaded = append(x.loaded, v.Number)
}

// forget begins another round.
func (s *siege) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.records {
		x.loaded = nil
	}
}
