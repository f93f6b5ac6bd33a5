package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A mover moves users into the Guard, and says what stays behind and why.
type mover struct {
	guard *enrollment.Guard
	out   io.Writer
}

// admin is whom the users' histories name.
func (m *mover) admin() enrollment.Admin {
	return m.guard.Admin("migration", "moved from the old system")
}

// rehearse says what move would do, and writes nothing.
func (m *mover) rehearse(ctx context.Context, users source) (enrollment.ImportCount, error) {
	var current user
	var broken error // the old system
	imports := func(yield func(string, enrollment.Import) bool) {
		for u, err := range users {
			if err != nil {
				broken = err
				return
			}
			current = u
			if !yield(u.id, u.take) {
				return
			}
		}
	}
	count, err := m.admin().RehearseImport(ctx, imports, func(f enrollment.ImportFinding) { m.report(current, f) })
	return count, errors.Join(err, broken)
}

// maxFaults in a row end a move: then it is not the users, it is the database.
const maxFaults = 10

// move imports the users. If it ends early, run it again: it goes on where it ended.
func (m *mover) move(ctx context.Context, users source) (enrollment.ImportCount, error) {
	count := enrollment.ImportCount{Denied: make(map[enrollment.Reason]int)}
	faults := 0
	for u, err := range users {
		if err != nil {
			return count, err
		}
		f := enrollment.ImportFinding{UserID: u.id, Short: u.short()}
		var denied *enrollment.Denied
		switch err := m.admin().Import(ctx, u.id, u.take); {
		case err == nil:
			count.Imported++
			if f.Short {
				count.Short++
			}
		case errors.As(err, &denied):
			f.Reason = denied.Reason
			count.Denied[f.Reason]++
		case ctx.Err() != nil:
			return count, err
		default:
			f.Err = err
			count.Faulty++
		}
		count.Users++
		m.report(u, f)
		if faults++; f.Err == nil || u.why() != nil {
			faults = 0
		} else if faults == maxFaults {
			return count, fmt.Errorf("%d faults in a row, the last one: %w", faults, f.Err)
		}
	}
	return count, nil
}

// report prints what does not move.
func (m *mover) report(u user, f enrollment.ImportFinding) {
	switch why := u.why(); {
	case why != nil:
		fmt.Fprintf(m.out, "%q stays: %v\n", u.id, why)
	case f.Err != nil:
		fmt.Fprintf(m.out, "%q stays: %v\n", u.id, f.Err)
	case f.Reason != "" && f.Reason != enrollment.ReasonAlreadyEnrolled:
		fmt.Fprintf(m.out, "%q stays: %s\n", u.id, f.Reason)
	case f.Reason == "":
		for _, what := range u.behind {
			fmt.Fprintf(m.out, "%q leaves behind %s\n", u.id, what)
		}
	}
}

// hints explain reasons to the person who runs the program.
var hints = map[enrollment.Reason]string{
	enrollment.ReasonWasEnrolled:           "had a second factor here, and has none now",
	enrollment.ReasonShortSecret:           "fewer than 128 bits: -short-until takes them on condition",
	enrollment.ReasonDuplicateSecret:       "has the same secret twice",
	enrollment.ReasonTooManyAuthenticators: "has more apps than Config.MaxAuthenticators",
}

// summary prints the sums; verb is "would move" or "moved". It returns how many stay in
// the old system.
func (m *mover) summary(verb string, c enrollment.ImportCount) (stay int) {
	fmt.Fprintf(m.out, "%d of %d users %s", c.Imported, c.Users, verb)
	if c.Short > 0 {
		fmt.Fprintf(m.out, ", %d with a secret of fewer than 128 bits", c.Short)
	}
	fmt.Fprintln(m.out)
	if c.Faulty > 0 {
		fmt.Fprintf(m.out, "%d stay: what they have can't be read\n", c.Faulty)
		stay += c.Faulty
	}
	for _, reason := range slices.Sorted(maps.Keys(c.Denied)) {
		if n := c.Denied[reason]; reason == enrollment.ReasonAlreadyEnrolled {
			fmt.Fprintf(m.out, "%d are here already, by an earlier run or their own setup\n", n)
		} else {
			fmt.Fprintf(m.out, "%d stay: %s (%s)\n", n, reason, hints[reason])
			stay += n
		}
	}
	return stay
}
