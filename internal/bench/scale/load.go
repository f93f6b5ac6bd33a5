package main

import (
	"context"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

// measureLoad signs many members in at the same time.
func measureLoad(ctx context.Context, d *bench.Database) error {
	counts, err := numbers()
	if err != nil {
		return err
	}
	crew, err := d.NewCrew(ctx, "crew", bench.CrewOptions{Size: max(*rows, 3)})
	if err != nil {
		return err
	}
	ids := crew.Members(3 * perTurn)
	third := len(ids) / 3
	members, others, rest := ids[:third], ids[third:2*third], ids[2*third:]
	bare, err := crew.Bare(ctx, "bare", members)
	if err != nil {
		return err
	}
	for _, n := range counts {
		timings, err := bench.Press(ctx, turns(), n, crew.SignIns(members), bare.SignIns(), crew.Store(others), crew.Floor(rest))
		if err != nil {
			return err
		}
		table.Print(loadRows(fmt.Sprintf("`SignIn` and `Answer`, %s, %s", d.Name, many(n)), n == 64, timings)...)
	}
	return nil
}

func many(callers int) string {
	if callers == 1 {
		return "1 caller"
	}
	return fmt.Sprintf("%d callers", callers)
}

// loadRows compares the first timing with the second, and shows where the
// difference comes from. The budget is for 64 callers.
func loadRows(what string, bound bool, timings []bench.LoadTiming) []table.Row {
	ours, bare, store, floor := timings[0], timings[1], timings[2], timings[3]
	time, tail := table.None, table.None
	if bound {
		time, tail = table.AtMost(1.3), table.AtMost(1.4)
	}
	return []table.Row{
		throughput(what, ours, bare, time),
		quantile("p50", 0.5, ours, bare, table.None),
		quantile("p99", 0.99, ours, bare, tail),
		throughput("the same, the store's part", store, bare, table.None),
		throughput("the same, what can't be left out", floor, bare, table.None),
		quantile("p99, what can't be left out", 0.99, floor, bare, table.None),
		{
			What:  "the same, processor time of the client",
			Ours:  table.Duration(ours.Op(bench.CPU)),
			Peer:  table.Duration(bare.Op(bench.CPU)),
			Ratio: bench.LoadRatio(ours, bare, bench.CPU),
		},
	}
}

func throughput(what string, ours, peer bench.LoadTiming, b table.Bound) table.Row {
	return table.Row{
		What:  what,
		Ours:  table.PerSecond(ours.Rate()) + " " + ours.Name,
		Peer:  table.PerSecond(peer.Rate()) + " " + peer.Name,
		Ratio: bench.LoadRatio(ours, peer, bench.Wall),
		Bound: b,
	}
}

func quantile(name string, part float64, ours, peer bench.LoadTiming, b table.Bound) table.Row {
	return table.Row{
		What:  "the same, " + name,
		Ours:  table.Duration(ours.Quantile(part)),
		Peer:  table.Duration(peer.Quantile(part)),
		Ratio: bench.QuantileRatio(ours, peer, part),
		Bound: b,
	}
}
