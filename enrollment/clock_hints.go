package enrollment

import (
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ClockHints tells operators a wrong clock from an attack. It counts wrong app
// codes, and how many of them would have been right at another time, up to ten
// minutes away. It counts over all accounts, since the Guard was made, and only in
// this process: watch each node by itself, because its clock can be the only wrong
// one.
//
// Watch how much the counts grow in an hour:
//
//   - WrongCodes grows by ten or more, and RightAtOtherTime by more than half of
//     that: the clock of this server is wrong. Raise an alarm, and set the clock.
//   - WrongCodes grows, and RightAtOtherTime hardly does: these are guesses, or
//     people who mistype. A guess is right at another time with a chance of 4 in
//     100,000.
//   - A small part is usual: phones with a wrong clock, and codes that were typed
//     late.
//
// With a clock that is wrong by more than ten minutes, no app code is right at all.
// Only an [Observation] shows that.
//
// The counts can't help to guess: a code appears here 15 minutes after it was typed,
// when no code from around that time is accepted any more. Nothing else says of a
// single code that it would be right at another time.
type ClockHints struct {
	// WrongCodes is how many wrong app codes were looked at: at most the first 16
	// of each second, so that an attack does not make the server work harder. They
	// were given to Answer or Verify or as a proof. Codes of a setup are not
	// counted, because Confirm tells the user about the clock.
	WrongCodes uint64 `json:"wrong_codes"`

	// RightAtOtherTime is how many of them would have been right at another time,
	// and were not used before.
	RightAtOtherTime uint64 `json:"right_at_other_time"`
}

// ClockHints returns what was counted until 15 minutes ago. It only reads what is
// in memory, and can be called at any time.
func (g *Guard) ClockHints() ClockHints {
	if g.check() != nil {
		return ClockHints{}
	}
	return g.hints.at(g.Now())
}

const (
	// hintsPerSecond bounds the work: a look takes longer than all the rest of an
	// answer.
	hintsPerSecond = 16

	// hintDelay is when nothing that was looked at is worth anything any more. A
	// code is looked for in steps that begin up to ten minutes later. The longest
	// step lasts for two minutes, and its code is accepted for two more. The
	// minute that is counted together makes 15.
	hintDelay = 15 * time.Minute

	// maxHeldHints bounds the memory where a clock jumps back and forth. There are
	// 16 minutes at most where it does not.
	maxHeldHints = 64
)

// clockHints counts for [ClockHints]. The zero value has counted nothing. It is
// safe for concurrent use.
type clockHints struct {
	mu     sync.Mutex
	second int64 // the last one in which a code was looked at
	looks  int   // how many were in it
	held   []heldHints
	told   ClockHints
}

// heldHints are counts of a minute that are not told yet.
type heldHints struct {
	minute time.Time
	ClockHints
}

// look looks for the wrong app code of a decision at other times, and counts it.
// It is called after the decision is stored. Whether there is a look depends on
// the time alone, and each takes the same time, so that the answer's time tells
// nothing about the code.
func (h *clockHints) look(a *account.Account, m account.Moment) {
	if a.Missed() && h.mayLook(m.Now) {
		h.count(m.Now, a.RightAtOtherTime(m))
	}
}

func (h *clockHints) mayLook(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if second := now.Unix(); second != h.second {
		h.second, h.looks = second, 0
	}
	h.looks++
	return h.looks <= hintsPerSecond
}

func (h *clockHints) count(now time.Time, right bool) {
	minute := now.Truncate(time.Minute)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(now)
	last := len(h.held) - 1
	if last < 0 || !h.held[last].minute.Equal(minute) {
		if len(h.held) == maxHeldHints {
			return
		}
		h.held = append(h.held, heldHints{minute: minute})
		last++
	}
	h.held[last].WrongCodes++
	if right {
		h.held[last].RightAtOtherTime++
	}
}

// tell adds what was held for long enough to what is told. What was counted by a
// clock that has gone back since is held until then.
func (h *clockHints) tell(now time.Time) {
	held := h.held[:0]
	for _, x := range h.held {
		if now.Sub(x.minute) < hintDelay {
			held = append(held, x)
			continue
		}
		h.told.WrongCodes += x.WrongCodes
		h.told.RightAtOtherTime += x.RightAtOtherTime
	}
	h.held = held
}

func (h *clockHints) at(now time.Time) ClockHints {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(now)
	return h.told
}
