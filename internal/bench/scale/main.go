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
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

var (
	rows    = flag.Int("rows", 1_000_000, "accounts in a large table")
	callers = flag.String("callers", "1,8,64,256", "`numbers` of callers at the same time")
	pool    = flag.Int("pool", 8, "connections of a pool")
	people  = flag.Int("people", 500, "people who confirm at the same moment on a first day")
	reseal  = flag.Duration("reseal", 8*time.Minute, "how long a Reseal of all accounts may take")
)

func main() {
	flag.Parse()
	table.Report([]table.Topic{
		{Name: "load", Measure: onPostgres(measureLoad)},
		{Name: "kept", Measure: measureKept},
		{Name: "rush", Measure: onPostgres(measureRush)},
		{Name: "attack", Measure: onPostgres(measureAttack)},
		{Name: "firstday", Measure: onPostgres(measureFirstDay)},
		{Name: "upkeep", Measure: onPostgres(measureUpkeep)},
		{Name: "stores", Measure: measureStores},
		{Name: "postgres", Measure: onPostgres(measureAccounts)},
		{Name: "sqlite", Measure: onSQLite(measureAccounts)},
		{Name: "mariadb", Measure: onMariaDB(measureAccounts)},
	}, fmt.Sprintf("%d accounts", *rows), fmt.Sprintf("pools of %d connections", *pool))
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

// turns is how long to measure what many callers do: turns that are long enough
// for the slowest hundredth to be many.
func turns() bench.Effort { return bench.Effort{Rounds: table.Rounds(9), Turn: time.Second} }

// size is that of a crew for what does not depend on it much.
func size() bench.CrewOptions { return bench.CrewOptions{Size: max(100, min(*rows, 100_000))} }

// few is how many callers sign in beside something else.
const few = 8

// perTurn is how many members sign in, each at most once in a turn.
const perTurn = 20_000
