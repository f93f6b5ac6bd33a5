package account

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
)

const (
	// maxNearMisses is how many near misses in a row use a place up.
	maxNearMisses = 5

	// nearMissPause ends a row of near misses. Three codes are accepted for about as
	// long, from ten minutes before their time to ten minutes after it.
	nearMissPause = 20 * time.Minute
)

// nearMisses counts tries of three consecutive codes of which exactly two were
// right. Some apps show the next code beside the present one, so that a look at the
// screen gives two of the three. The third is a guess at one code, and such guesses
// must not be free. Nor may they be after two codes that were used: the answer that
// three codes were used would tell the next one. The zero value has counted none.
type nearMisses struct {
	count int
	last  time.Time // when the last one was; never moves back
}

// nearlyMissed counts a near miss whose last code is of the step. The fifth in a row, and
// each after it, uses that place up, and with it all that come before: whoever has seen
// two codes can guess at the one before them and then at the one after them.
func (a *Authenticator) nearlyMissed(now time.Time, step int64) {
	a.near.tidy(now)
	a.near.last = later(a.near.last, now)
	if a.near.count == maxNearMisses-1 {
		a.Last = max(a.Last, step)
		return
	}
	a.near.count++
}

// tidy forgets a row that has ended.
func (n *nearMisses) tidy(now time.Time) {
	if now.Sub(n.last) >= nearMissPause {
		*n = nearMisses{}
	}
}

func (n *nearMisses) clampFuture(now time.Time) (changed bool) {
	n.last, changed = clampFuture(n.last, now)
	return changed
}

func (n nearMisses) append(b []byte) ([]byte, error) {
	return appendInt(append(b, byte(n.count)), micros(n.last)), nil
}

func readNearMisses(in cryptobyte.String) (nearMisses, error) {
	var count uint8
	var last int64
	if !in.ReadUint8(&count) || !readInt(&in, &last) || !in.Empty() || count == 0 || count >= maxNearMisses {
		return nearMisses{}, ErrDamaged
	}
	return nearMisses{count: int(count), last: fromMicros(last)}, nil
}
