// Package table prints measurements as the rows of a Markdown table: what the
// library takes, what its peer takes, and whether the ratio keeps to a bound. Report
// is what the programs that measure have in common.
package table

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

// A Row is a row of the table. The ratio is of two quantities of which less is
// better, ours and the peer's; 0 is no ratio.
type Row struct {
	What       string
	Ours, Peer string
	Ratio      float64
	Bound      Bound
}

// A Bound is what a ratio has to keep to.
type Bound struct {
	limit  float64 // of the ratio, or of its inverse; 0 for none
	faster bool    // the inverse has to be at least limit
}

// None is the bound of a row that is for information.
var None Bound

// AtMost is the bound of a quantity that may be that many times the peer's.
func AtMost(limit float64) Bound { return Bound{limit, false} }

// AtLeast is the bound of a quantity that must be that many times as small as
// the peer's.
func AtLeast(limit float64) Bound { return Bound{limit, true} }

// Compare returns the row of two timings of one run.
func Compare(what string, ours, peer bench.Timing, by bench.Measure, b Bound) Row {
	return Row{
		What:  what,
		Ours:  Duration(ours.Op(by)) + " " + ours.Name,
		Peer:  Duration(peer.Op(by)) + " " + peer.Name,
		Ratio: bench.Ratio(ours, peer, by),
		Bound: b,
	}
}

// String returns the row as Markdown.
func (r Row) String() string {
	ratio, limit, met := fmt.Sprintf("%.2f×", r.Ratio), "", ""
	switch {
	case r.Bound == None:
	case r.Bound.faster:
		ratio = fmt.Sprintf("%.2f× faster", 1/r.Ratio)
		limit = fmt.Sprintf("at least %v×", r.Bound.limit)
		met = verdict(1/r.Ratio >= r.Bound.limit)
	default:
		limit = fmt.Sprintf("at most %v×", r.Bound.limit)
		met = verdict(r.Ratio <= r.Bound.limit)
	}
	if r.Ratio == 0 {
		ratio = ""
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", r.What, r.Ours, r.Peer, ratio, limit, met)
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// Head prints on what this is measured, and the head of the table.
func Head(w io.Writer, more ...string) {
	on := append([]string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
		fmt.Sprint("GOMAXPROCS ", runtime.GOMAXPROCS(0)), time.Now().UTC().Format(time.DateOnly)}, more...)
	fmt.Fprintf(w, "%s\n\n", strings.Join(on, ", "))
	fmt.Fprintln(w, "| what | ours | peer | ratio | bound | |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|")
}

// Duration returns d with three digits.
func Duration(d time.Duration) string {
	switch {
	case d >= 100*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.2f µs", float64(d)/float64(time.Microsecond))
}

// Mebibytes returns n in MiB.
func Mebibytes(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}

// PerSecond returns a rate without digits behind the point.
func PerSecond(rate float64) string { return fmt.Sprintf("%.0f/s", rate) }
