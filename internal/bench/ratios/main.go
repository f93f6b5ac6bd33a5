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
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

func main() {
	bench.CrowdChild()
	flag.Parse()
	table.Report([]table.Topic{
		{Name: "totp", Measure: printed(measureTOTP)},
		{Name: "recovery", Measure: printed(measureRecovery)},
		{Name: "crowd", Measure: printed(measureCrowd)},
		{Name: "answer", Measure: printed(measureAnswer)},
		{Name: "parts", Measure: printed(measureParts)},
		{Name: "sqlite", Measure: printed(measureSQLite)},
		{Name: "postgres", Measure: printed(measurePostgres)},
		{Name: "qr", Measure: printed(measureQR)},
	})
}

// printed prints the rows that are measured.
func printed(measure func(ctx context.Context) ([]table.Row, error)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		rows, err := measure(ctx)
		if err == nil {
			table.Print(rows...)
		}
		return err
	}
}

// brief is how long to measure what takes microseconds: turns so short that
// most of them pass without an interruption, and very many.
func brief() bench.Effort { return bench.Effort{Rounds: table.Rounds(1501), Turn: time.Millisecond} }

// lengthy is the same for what takes milliseconds.
func lengthy() bench.Effort {
	return bench.Effort{Rounds: table.Rounds(21), Turn: 50 * time.Millisecond}
}

// database is the same for what waits for a disk: an answer or a few to a turn.
func database() bench.Effort { return bench.Effort{Rounds: table.Rounds(2001), Turn: time.Millisecond} }
