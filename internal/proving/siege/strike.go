package siege

// An aim is where a round strikes.
type aim struct {
	call  int64 // before this call of a store
	saved bool  // or after the next Save that is acknowledged, before anybody is told
}

// draw aims at some moment of a round, which has about as many calls as the last one in which
// nothing was killed. Every other strike comes after a Save.
func (s *siege) draw() {
	s.after = !s.after
	s.aim.Store(&aim{s.began + 1 + s.seed.Int64N(max(1, s.quiet)), s.after})
}

// count counts a call of a store, and strikes at one.
func (s *siege) count() {
	n := s.calls.Add(1)
	if a := s.aim.Load(); a != nil && !a.saved && n >= a.call {
		s.hit(a)
	}
}

// saved takes what was acknowledged, and strikes after it.
func (s *siege) saved(v Version) {
	s.acknowledged(v)
	if a := s.aim.Load(); a != nil && a.saved && s.calls.Load() >= a.call {
		s.hit(a)
	}
}

// hit strikes once.
func (s *siege) hit(a *aim) {
	if s.over() || !s.aim.CompareAndSwap(a, nil) {
		return
	}
	s.strikes.Add(1)
	s.strike()
	s.over() // if the strike has failed, nobody waits for what may not come back
}
