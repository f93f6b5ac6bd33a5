package siege

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// soon is how long a siege may go on after it has come to nothing, on a busy machine.
const soon = time.Minute

// TestSiegeEndsWithFailedStrike has a strike that fails after the database has died. Nobody
// waits for it, and nothing strikes again.
func TestSiegeEndsWithFailedStrike(t *testing.T) {
	t.Parallel()
	db := proving.NewStore(proving.Memory(t).(proving.Full))
	var failed atomic.Bool
	var began time.Time
	s := newSiege(t, same(db).Start, func() {
		away(db)
		failed.Store(true)
		began = time.Now()
	})
	s.failed = failed.Load
	figures := s.besiege(t, Length{Rounds: 1000})
	if took := time.Since(began); took > soon {
		t.Errorf("the siege went on for %v", took)
	}
	if figures.Strikes != 1 || !slices.Equal(figures.Broken, []string{"it was given up after 2 rounds"}) {
		t.Errorf("%d strikes, missed: %v", figures.Strikes, figures.Broken)
	}
	if len(figures.Wrong) > 0 {
		t.Errorf("a database that has no answer was found guilty:\n%s", figures.Findings())
	}
}

// away lets a database answer nothing.
func away(db *proving.Store) {
	for _, op := range []proving.Op{proving.Load, proving.Save, proving.List} {
		db.Fail(op, errors.New("away"))
	}
}

// TestSiegeEndsWithoutAnswer has a database that loses something when it dies for the first
// time, and does not come back from the second. The siege ends, and says what it has found.
func TestSiegeEndsWithoutAnswer(t *testing.T) {
	t.Parallel()
	f := &forgetful{Full: proving.Memory(t).(proving.Full)}
	db := proving.NewStore(f)
	strikes := 0
	var began time.Time
	s := newSiege(t, same(db).Start, func() {
		if f.die(); strikes == 20 {
			away(db)
			began = time.Now()
		}
		strikes++
	})
	s.patience = 50 * time.Millisecond
	figures := s.besiege(t, Length{Rounds: 1000})
	if took := time.Since(began); took > soon {
		t.Errorf("the siege went on for %v", took)
	}
	if figures.Strikes != 21 || len(figures.Broken) < 2 || !strings.HasSuffix(figures.Broken[0], "had no answer for 50ms") {
		t.Errorf("%d strikes, missed: %v", figures.Strikes, figures.Broken)
	}
	if figures.Of(Twice) == 0 {
		t.Errorf("no code was accepted twice:\n%s", figures.Findings())
	}
}
