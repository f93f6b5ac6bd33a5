package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

// measureRush has many callers give a wrong code at the same moment, for one account
// and for an account each.
func measureRush(ctx context.Context, d *bench.Database) error {
	counts, err := numbers()
	if err != nil {
		return err
	}
	crew, err := d.NewCrew(ctx, "crew", size())
	if err != nil {
		return err
	}
	for _, n := range counts {
		p, err := crew.Users(ctx, n)
		if err != nil {
			return err
		}
		one, each := p.NewRush(), p.NewRush()
		// Few operations make a turn, so there are many turns.
		timings, err := bench.Press(ctx, bench.Effort{Rounds: table.Rounds(99)}, n, one.AtOne(n), each.AtEach(n))
		if err != nil {
			return err
		}
		what := fmt.Sprintf("a wrong code from each of %s at the same moment, %s", many(n), d.Name)
		all := one.Evaluated.Load() + one.Locked.Load() + one.Busy.Load()
		table.Print(
			throughput(what, timings[0], timings[1], table.None),
			quantile("p50", 0.5, timings[0], timings[1], table.None),
			quantile("slowest of a turn", 1, timings[0], timings[1], table.None),
			table.Row{
				What: "the same, of all codes for the one account",
				Ours: fmt.Sprintf("%.1f %% evaluated, %.1f %% locked, %.1f %% busy",
					percent(one.Evaluated.Load(), all), percent(one.Locked.Load(), all), percent(one.Busy.Load(), all)),
			})
	}
	return nil
}

func percent(n, of int64) float64 { return 100 * float64(n) / float64(max(1, of)) }

// attackers is how many callers guess at recovery codes.
const attackers = 64

// measureAttack signs members in by app codes while others guess recovery codes.
func measureAttack(ctx context.Context, d *bench.Database) error {
	o := size()
	o.Slow = true
	crew, err := d.NewCrew(ctx, "crew", o)
	if err != nil {
		return err
	}
	ids := crew.Members(2 * perTurn)
	s, err := crew.Besiege(ctx, turns(), few, attackers, ids[:len(ids)/2], ids[len(ids)/2:])
	if err != nil {
		return err
	}
	table.Print(beside(fmt.Sprintf("`SignIn` and `Answer` of %s, %s, while %d guess recovery codes", many(few), d.Name, attackers), s.Beside, s.Quiet)...)
	table.Print(
		table.Row{What: "the same, recovery codes evaluated", Ours: fmt.Sprintf("%.1f/s", float64(s.Checks)/s.Took.Seconds())},
		peak("the same, peak of the heap", s.Peak),
	)
	return nil
}

// beside compares sign-ins beside something else with quiet ones.
func beside(what string, busy, quiet bench.LoadTiming) []table.Row {
	return []table.Row{
		throughput(what, busy, quiet, table.None),
		quantile("p50", 0.5, busy, quiet, table.None),
		quantile("p99", 0.99, busy, quiet, table.None),
	}
}

// peak compares a peak with what the derivations take that the gate admits.
func peak(what string, bytes int64) table.Row {
	slots := runtime.GOMAXPROCS(0)
	admitted := int64(slots) * bench.DerivationSize
	return table.Row{
		What:  what,
		Ours:  table.Mebibytes(bytes),
		Peer:  fmt.Sprintf("%s in %d slots", table.Mebibytes(admitted), slots),
		Ratio: float64(bytes) / float64(admitted),
		Bound: table.AtMost(4),
	}
}

// measureFirstDay has many people confirm at the same moment.
func measureFirstDay(ctx context.Context, d *bench.Database) error {
	crew, err := d.NewCrew(ctx, "crew", size())
	if err != nil {
		return err
	}
	f, err := crew.FirstDay(ctx, turns(), *people, few, crew.Members(perTurn))
	if err != nil {
		return err
	}
	table.Print(
		table.Row{
			What: fmt.Sprintf("%d confirmations at the same moment, %s", *people, d.Name),
			Ours: fmt.Sprintf("%d done, %d busy, after %s", f.Done, f.Busy, table.Duration(f.Took)),
		},
		table.Row{
			What: "the same, until a confirmation had its answer",
			Ours: fmt.Sprintf("p50 %s, p99 %s", table.Duration(f.Quantile(0.5)), table.Duration(f.Quantile(0.99))),
		},
		peak("the same, peak of the heap", f.Peak),
	)
	table.Print(beside(fmt.Sprintf("`SignIn` and `Answer` of %s meanwhile", many(few)), f.Beside, f.Quiet)...)
	return nil
}

// measureUpkeep measures what sign-ins cost the server.
func measureUpkeep(ctx context.Context, d *bench.Database) error {
	crew, err := d.NewCrew(ctx, "crew", bench.CrewOptions{Size: max(*rows, 100)})
	if err != nil {
		return err
	}
	// So few that most of them have a page of the table for themselves.
	u, err := crew.Keep(ctx, few, crew.Members(min(perTurn, crew.Size/100)))
	if err != nil {
		return err
	}
	table.Print(
		table.Row{What: "write-ahead log of a sign-in, " + d.Name + ", first since a checkpoint", Ours: fmt.Sprintf("%d bytes", u.FirstWAL)},
		table.Row{What: "the same, once more", Ours: fmt.Sprintf("%d bytes", u.WAL)},
		table.Row{What: "updates that change no index (HOT)", Ours: fmt.Sprintf("%.1f %%", 100*u.Hot)},
		table.Row{What: fmt.Sprintf("`VACUUM` of %d accounts after %d sign-ins", crew.Size, u.SignIns), Ours: table.Duration(u.Vacuum) + fmt.Sprintf(", grown by %s", table.Mebibytes(u.Grown))},
	)
	return nil
}
