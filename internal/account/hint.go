package account

// Missed reports whether the last decision has counted an app code as wrong.
func (a *Account) Missed() bool { return a.missed != "" }

// RightAtOtherTime reports whether the code that was counted would have been right
// at another time, near the present, and was not used before. It must be told to
// nobody who could know which code it is about. It does the same work whatever the
// code is.
func (a *Account) RightAtOtherTime(m Moment) bool {
	right := false
	for i := range a.authenticators {
		x := &a.authenticators[i]
		offset, err := x.clockOffset(m, a.missed)
		step := x.Key.Step(x.clock(m.typed())) + int64(offset/x.Key.Params().Period)
		right = right || err == nil && step > x.Last
	}
	return right
}
