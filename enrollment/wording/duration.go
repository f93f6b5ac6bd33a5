package wording

import (
	"math"
	"strconv"
	"time"
)

// Duration returns a length of time such as "5 minutes". It is rounded up to one
// unit, so that a wait is never understated, and is at least a second.
func (l *Language) Duration(d time.Duration) string { return l.wait(d) }

func (l *Language) wait(d time.Duration) string {
	u, n := l.unit(d)
	return l.form(u.Wait, n)
}

func (l *Language) in(d time.Duration) string {
	u, n := l.unit(d)
	return l.form(u.In, n)
}

// unit returns the unit that d reads best in, and how many of it cover d.
func (l *Language) unit(d time.Duration) (Unit, int) {
	for _, u := range []struct {
		unit  Unit
		size  time.Duration
		below int // a larger unit is used from here on
	}{
		{l.Seconds, time.Second, 60},
		{l.Minutes, time.Minute, 120},
		{l.Hours, time.Hour, 48},
	} {
		if n := max(1, int64(roundUp(d, u.size)/u.size)); n < int64(u.below) {
			return u.unit, int(n)
		}
	}
	const day = 24 * time.Hour
	return l.Days, int(roundUp(d, day) / day)
}

// roundUp returns d as a multiple of unit.
func roundUp(d, unit time.Duration) time.Duration {
	if rest := d % unit; rest > 0 {
		d += min(unit-rest, math.MaxInt64-d)
	}
	return d
}

func (l *Language) form(forms []string, n int) string {
	i := 1
	switch {
	case l.Plural != nil:
		i = l.Plural(n)
	case n == 1:
		i = 0
	}
	number := strconv.Itoa(n)
	if i < 0 || i >= len(forms) {
		return number
	}
	return fill(forms[i], "{n}", number)
}

// time returns t in the zone, UTC for nil.
func (l *Language) time(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format(l.Time)
}
