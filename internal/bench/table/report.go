package table

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

var (
	only   = flag.String("only", "", "the `topics` to measure, separated by commas; all if empty")
	effort = flag.Float64("effort", 1, "measure for so many times as long")
)

// A Topic prints some rows of the table.
type Topic struct {
	Name    string
	Measure func(ctx context.Context) error
}

// Report prints the table of the topics that the flag -only names, until an interrupt. If
// something can't be measured, it ends the program with status 1. More is what the head of
// the table says besides.
func Report(topics []Topic, more ...string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := report(ctx, topics, more); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		stop()
		os.Exit(1)
	}
}

func report(ctx context.Context, topics []Topic, more []string) error {
	wanted := strings.Split(*only, ",")
	for _, name := range wanted {
		if *only != "" && !slices.ContainsFunc(topics, func(t Topic) bool { return t.Name == name }) {
			return fmt.Errorf("-only: there is no topic %q", name)
		}
	}
	Head(os.Stdout, more...)
	for _, t := range topics {
		if *only != "" && !slices.Contains(wanted, t.Name) {
			continue
		}
		if err := t.Measure(ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", t.Name, err)
		}
	}
	return nil
}

// Print prints rows as soon as they are known.
func Print(rows ...Row) {
	for _, r := range rows {
		fmt.Println(r)
	}
}

// Rounds returns so many rounds, scaled by the flag -effort.
func Rounds(n int) int {
	scale := *effort
	return max(3, int(float64(n)*scale))
}
