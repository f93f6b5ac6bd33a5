package main

import (
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

// A row of the table. The ratio is of two quantities of which less is better,
// ours and the peer's.
type row struct {
	what       string
	ours, peer string
	ratio      float64
	bound      bound
}

// A bound is what a ratio has to keep to.
type bound struct {
	limit  float64 // of the ratio, or of its inverse; 0 for none
	faster bool    // the inverse has to be at least limit
}

var none bound

// atMost is the bound of a quantity that may be that many times the peer's.
func atMost(limit float64) bound { return bound{limit, false} }

// atLeast is the bound of a quantity that must be that many times as small as
// the peer's.
func atLeast(limit float64) bound { return bound{limit, true} }

// compare returns the row of two timings of one run.
func compare(what string, ours, peer bench.Timing, by bench.Measure, b bound) row {
	return row{
		what:  what,
		ours:  duration(ours.Op(by)) + " " + ours.Name,
		peer:  duration(peer.Op(by)) + " " + peer.Name,
		ratio: bench.Ratio(ours, peer, by),
		bound: b,
	}
}

// String returns the row as Markdown.
func (r row) String() string {
	ratio, limit, met := fmt.Sprintf("%.2f×", r.ratio), "", ""
	switch {
	case r.bound == none:
	case r.bound.faster:
		ratio = fmt.Sprintf("%.2f× faster", 1/r.ratio)
		limit = fmt.Sprintf("at least %v×", r.bound.limit)
		met = verdict(1/r.ratio >= r.bound.limit)
	default:
		limit = fmt.Sprintf("at most %v×", r.bound.limit)
		met = verdict(r.ratio <= r.bound.limit)
	}
	if r.ratio == 0 {
		ratio = ""
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", r.what, r.ours, r.peer, ratio, limit, met)
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// duration returns d with three digits.
func duration(d time.Duration) string {
	switch {
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.2f µs", float64(d)/float64(time.Microsecond))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
