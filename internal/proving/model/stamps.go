package model

import "github.com/seed-1b6a03a1/twofactor/enrollment"

// checkStamp checks that two stamps of a user are the same if and only if no factor
// was changed between them. Without a factor ever, there is one stamp.
func (r *modelRun) checkStamp(u *modelUser, a *modelAccount, got enrollment.Stamp) {
	r.t.Helper()
	since := a.epoch
	switch {
	case !a.was && !a.enrolled():
		since = 0
	case since < 0:
		return // a repair that is not stored
	}
	for stamp, epoch := range u.stamps {
		if (stamp == got) != (epoch == since) {
			r.fatalf("%s: the stamp %q belongs to epoch %d, and %q to %d", u.name, stamp, epoch, got, since)
		}
	}
	if u.stamps == nil {
		u.stamps = map[enrollment.Stamp]int{}
	}
	u.stamps[got] = since
}
