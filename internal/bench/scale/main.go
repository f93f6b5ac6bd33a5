// Scale measures the library under load and with many accounts, each beside a
// peer in the same run, and prints how the performance budget is met. Like ratios
// it is a report and no test: it ends with status 0 whether a bound is met or
// missed, and with status 1 only if something could not be measured.
//
//	go run ./internal/bench/scale
//	go run ./internal/bench/scale -only load -callers 64
//	go run ./internal/bench/scale -rows 20000 -effort 0.3
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

var (
	only    = flag.String("only", "", "the `topics` to measure, separated by commas; all if empty")
	rows    = flag.Int("rows", 1_000_000, "accounts in a large table")
	callers = flag.String("callers", "1,8,64,256", "`numbers` of callers at the same time")
	pool    = flag.Int("pool", 8, "connections of a pool")
	people  = flag.Int("people", 500, "people who confirm at the same moment on a first day")
	reseal  = flag.Duration("reseal", 8*time.Minute, "how long a Reseal of all accounts may take")
	effort  = flag.Float64("effort", 1, "measure for so many times as long")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := report(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		stop()
		os.Exit(1)
	}
}

// A topic prints some rows of the table.
type topic struct {
	name    string
	measure func(ctx context.Context) error
}

var topics = []topic{
	{"load", onPostgres(measureLoad)},
	{"kept", measureKept},
	{"rush", onPostgres(measureRush)},
	{"attack", onPostgres(measureAttack)},
	{"firstday", onPostgres(measureFirstDay)},
	{"upkeep", onPostgres(measureUpkeep)},
	{"stores", measureStores},
	{"postgres", onPostgres(measureAccounts)},
	{"sqlite", onSQLite(measureAccounts)},
	{"mariadb", onMariaDB(measureAccounts)},
}

func report(ctx context.Context) error {
	wanted := strings.Split(*only, ",")
	for _, name := range wanted {
		if *only != "" && !slices.ContainsFunc(topics, func(t topic) bool { return t.name == name }) {
			return fmt.Errorf("-only: there is no topic %q", name)
		}
	}
	table.Head(os.Stdout, fmt.Sprintf("%d accounts", *rows), fmt.Sprintf("pools of %d connections", *pool))
	for _, t := range topics {
		if *only != "" && !slices.Contains(wanted, t.name) {
			continue
		}
		if err := t.measure(ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", t.name, err)
		}
	}
	return nil
}

// show prints rows as soon as they are known.
func show(rows ...table.Row) {
	for _, r := range rows {
		fmt.Println(r)
	}
}

// numbers reads the flag -callers.
func numbers() ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(*callers, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-callers: %q is no number of callers", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// rounds returns so many rounds, scaled by the flag.
func rounds(n int) int {
	scale := *effort
	return max(3, int(float64(n)*scale))
}

// turns is how long to measure what many callers do: turns that are long enough
// for the slowest hundredth to be many.
func turns() bench.Effort { return bench.Effort{Rounds: rounds(9), Turn: time.Second} }

// size is that of a crew for what does not depend on it much.
func size() bench.CrewOptions { return bench.CrewOptions{Size: max(100, min(*rows, 100_000))} }

// few is how many callers sign in beside something else.
const few = 8

// perTurn is how many members sign in, each at most once in a turn.
const perTurn = 20_000
