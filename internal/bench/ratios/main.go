// Ratios measures the library beside its peers, both sides in turns, and prints
// how the performance budget is met. It is a report and no test: it ends with
// status 0 whether a bound is met or missed, and with status 1 only if
// something could not be measured.
//
//	go run ./internal/bench/ratios
//	go run ./internal/bench/ratios -only answer,sqlite
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

var (
	only   = flag.String("only", "", "the `topics` to measure, separated by commas; all if empty")
	effort = flag.Float64("effort", 1, "measure for so many times as long")
)

func main() {
	bench.CrowdChild()
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := report(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		stop()
		os.Exit(1)
	}
}

// A topic measures some rows of the table.
type topic struct {
	name    string
	measure func(ctx context.Context) ([]table.Row, error)
}

var topics = []topic{
	{"totp", measureTOTP},
	{"recovery", measureRecovery},
	{"crowd", measureCrowd},
	{"answer", measureAnswer},
	{"parts", measureParts},
	{"sqlite", measureSQLite},
	{"postgres", measurePostgres},
	{"qr", measureQR},
}

func report(ctx context.Context) error {
	wanted := strings.Split(*only, ",")
	for _, name := range wanted {
		if *only != "" && !slices.ContainsFunc(topics, func(t topic) bool { return t.name == name }) {
			return fmt.Errorf("-only: there is no topic %q", name)
		}
	}
	table.Head(os.Stdout)
	for _, t := range topics {
		if *only != "" && !slices.Contains(wanted, t.name) {
			continue
		}
		rows, err := t.measure(ctx)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", t.name, err)
		}
		for _, r := range rows {
			fmt.Println(r)
		}
	}
	return nil
}

// rounds returns so many rounds, scaled by the flag.
func rounds(n int) int {
	scale := *effort
	return max(3, int(float64(n)*scale))
}

// brief is how long to measure what takes microseconds: turns so short that
// most of them pass without an interruption, and very many.
func brief() bench.Effort { return bench.Effort{Rounds: rounds(1501), Turn: time.Millisecond} }

// lengthy is the same for what takes milliseconds.
func lengthy() bench.Effort { return bench.Effort{Rounds: rounds(21), Turn: 50 * time.Millisecond} }

// database is the same for what waits for a disk: an answer or a few to a turn.
func database() bench.Effort { return bench.Effort{Rounds: rounds(2001), Turn: time.Millisecond} }
