package siege

import (
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A Kind says what came out that must not be, in the words of a table.
type Kind string

// The kinds, in the order of the table.
const (
	Twice   Kind = "codes worked twice"
	Refused Kind = "right codes were refused"
	Burnt   Kind = "codes were used up and let nobody in"
	Guesses Kind = "guesses too many"
	Opened  Kind = "locks were open again"
	Undone  Kind = "accounts were not as their owner was told"
	Failed  Kind = "changes were refused"
	Events  Kind = "kinds of events were not told once each"
)

var kinds = [...]Kind{Twice, Refused, Burnt, Guesses, Opened, Undone, Failed, Events}

// A Finding is something that came out and must not be.
type Finding struct {
	Kind Kind
	What string
}

func (x Finding) String() string { return string(x.Kind) + ": " + x.What }

// find notes what must not be.
func (s *siege) find(kind Kind, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, Finding{kind, fmt.Sprintf(format, args...)})
}

// refused notes that something was refused. It ignores a fault: nothing was answered then, and
// until has given up.
func (s *siege) refused(kind Kind, id, what string, reason enrollment.Reason) {
	switch reason {
	case proving.Fault:
		return
	case enrollment.ReasonNotEnrolled:
		kind = Undone
	}
	s.find(kind, "%s: %s: %q", id, what, reason)
}

// miss notes that the siege itself has failed, and ends it.
func (s *siege) miss(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
	s.giveUp()
}
