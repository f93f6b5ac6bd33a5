package operator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A result is what a command for one account prints as JSON.
type result struct {
	Command string            `json:"command"`
	UserID  string            `json:"user_id"`
	To      string            `json:"to,omitempty"`
	DryRun  bool              `json:"dry_run,omitempty"`
	Outcome string            `json:"outcome"` // done, denied or error
	Reason  enrollment.Reason `json:"reason,omitempty"`
	RetryAt time.Time         `json:"retry_at,omitzero"`
	Error   string            `json:"error,omitempty"`
	Ticket  string            `json:"ticket,omitempty"`
}

func (r *result) fail(err error) {
	var denied *enrollment.Denied
	if errors.As(err, &denied) {
		r.Outcome, r.Reason, r.RetryAt = "denied", denied.Reason, denied.RetryAt
		return
	}
	r.Outcome, r.Error = "error", err.Error()
}

// object prints an object if that is asked for.
func (s *session) object(x any) {
	if !s.json {
		return
	}
	b, err := json.Marshal(x)
	s.note(err)
	s.printf("%s\n", b)
}

// printf prints a part of the result.
func (s *session) printf(format string, args ...any) {
	_, err := fmt.Fprintf(s.Stdout, format, args...)
	s.note(err)
}

// note remembers the first error of the output.
func (s *session) note(err error) {
	if s.failed == nil {
		s.failed = err
	}
}

// tell prints what goes on.
func (s *session) tell(format string, args ...any) {
	fmt.Fprintf(s.Stderr, format+"\n", args...)
}

// quoted returns a text of somebody else, such as a user id, so that it can't
// control a terminal.
func quoted(text string) string { return strconv.Quote(text) }

// A failure is an account that failed, as JSON.
type failure struct {
	UserID string `json:"user_id"`
	Error  string `json:"error"`
}

func failuresOf(f enrollment.Failures) (list []failure) {
	for _, x := range f.First {
		list = append(list, failure{x.UserID, x.Err.Error()})
	}
	return list
}

// failures names the accounts that failed, and returns the exit code.
func (s *session) failures(f enrollment.Failures) int {
	if f.Total == 0 {
		return ExitOK
	}
	for _, x := range f.First {
		s.tell("%s: %s", quoted(x.UserID), printable(x.Err.Error()))
	}
	if more := f.Total - len(f.First); more > 0 {
		s.tell("and %d more", more)
	}
	return ExitSome
}
