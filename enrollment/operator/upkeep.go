package operator

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The commands for upkeep of all accounts.

// A sweeping is what sweep prints as JSON.
type sweeping struct {
	Command     string    `json:"command"`
	DryRun      bool      `json:"dry_run,omitempty"`
	Seen        int       `json:"seen"`
	Expired     int       `json:"expired"`
	Reminded    int       `json:"reminded"`
	Matured     int       `json:"matured"`
	Completed   int       `json:"completed"`
	Lapsed      int       `json:"lapsed"`
	Delivered   int       `json:"delivered"`
	Undelivered int       `json:"undelivered"`
	Waiting     int       `json:"waiting"`
	Walked      int       `json:"walked"`
	Repaired    int       `json:"repaired"`
	Walk        string    `json:"walk"`
	Failed      int       `json:"failed"`
	Failures    []failure `json:"failures,omitempty"`
}

// sweep sweeps once, or until the context ends, which is then as it should be.
func sweep(ctx context.Context, s *session, _ []string) int {
	s.directory.ResumeWalk(s.walk)
	for {
		code := s.sweepOnce(ctx)
		if s.every == 0 {
			return code
		}
		select {
		case <-ctx.Done():
			return ExitOK
		case <-time.After(s.every):
		}
	}
}

func (s *session) sweepOnce(ctx context.Context) int {
	done, err := s.directory.Sweep(ctx)
	s.object(sweeping{
		Command: "sweep", DryRun: s.dry, Seen: done.Seen, Expired: done.Expired, Reminded: done.Reminded, Matured: done.Matured,
		Completed: done.Completed, Lapsed: done.Lapsed, Delivered: done.Delivered, Undelivered: done.Undelivered,
		Waiting: done.Waiting, Walked: done.Walked, Repaired: done.Repaired, Walk: done.Walk,
		Failed: done.Failed.Total, Failures: failuresOf(done.Failed),
	})
	if !s.json {
		s.printf("%s%d due: %d setups expired; resets: %d reminded, %d matured, %d completed, %d lapsed; events: %d delivered, %d not\n",
			s.would(), done.Seen, done.Expired, done.Reminded, done.Matured, done.Completed, done.Lapsed, done.Delivered, done.Undelivered)
		if done.Waiting > 0 {
			s.printf("%d were skipped: they need a Guard with Config.Notify\n", done.Waiting)
		}
		if done.Walked > 0 {
			s.printf("walked over %d accounts; in %d the due date in the database was wrong and is repaired\n", done.Walked, done.Repaired)
		}
	}
	code := s.failures(done.Failed)
	if err != nil {
		code = s.complain(err)
	}
	if code == ExitInterrupted && s.every > 0 {
		code = ExitOK
	}
	if s.every == 0 && !s.dry {
		s.tell("continue the walk next time with: %s", s.again("walk", done.Walk))
	}
	return code
}

// would begins the result of a dry run.
func (s *session) would() string {
	if s.dry {
		return "dry run, nothing was changed: "
	}
	return ""
}

// A resealing is what reseal prints as JSON.
type resealing struct {
	Command  string         `json:"command"`
	DryRun   bool           `json:"dry_run,omitempty"`
	Seen     int            `json:"seen"`
	Moved    int            `json:"moved"`
	Keys     map[string]int `json:"keys"`
	Done     bool           `json:"done"`
	Cursor   string         `json:"cursor,omitempty"`
	Failed   int            `json:"failed"`
	Failures []failure      `json:"failures,omitempty"`
}

func reseal(ctx context.Context, s *session, _ []string) int {
	p, err := s.progress(ctx, s.cursor)
	if err != nil {
		return s.complain(err)
	}
	done, err := s.directory.Reseal(ctx, enrollment.ResealOptions{Cursor: s.cursor, Progress: func(r enrollment.Resealed) {
		p.tell(r.Seen, r.Failed.Total)
	}})
	p.end()
	s.object(resealing{
		Command: "reseal", DryRun: s.dry, Seen: done.Seen, Moved: done.Moved, Keys: done.Keys, Done: done.Done,
		Cursor: done.Cursor, Failed: done.Failed.Total, Failures: failuresOf(done.Failed),
	})
	if !s.json {
		s.printf("%s%d seen, %d moved to the primary key, %d failed\n", s.would(), done.Seen, done.Moved, done.Failed.Total)
		for _, id := range slices.Sorted(maps.Keys(done.Keys)) {
			s.printf("  were sealed by key %s: %d\n", quoted(id), done.Keys[id])
		}
	}
	code := s.failures(done.Failed)
	if err != nil {
		code = s.complain(err)
		s.tell("continue with: %s", s.again("cursor", done.Cursor))
	}
	return code
}

// A checking is what check prints as JSON.
type checking struct {
	Command string `json:"command"`
	Fit     bool   `json:"fit"`
	Error   string `json:"error,omitempty"`
}

func check(ctx context.Context, s *session, _ []string) int {
	err := s.directory.CheckKeys(ctx)
	if err == nil {
		s.object(checking{"check", true, ""})
		if !s.json {
			s.printf("the keys fit\n")
		}
		return ExitOK
	}
	if !errors.Is(err, enrollment.ErrWrongKeys) {
		return s.complain(err)
	}
	s.object(checking{"check", false, err.Error()})
	if !s.json {
		s.printf("the keys do not fit\n")
	}
	s.complain(err)
	return ExitSome
}
