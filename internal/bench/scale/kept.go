package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
)

// lags are how much later a reply of the server comes.
var lags = []time.Duration{0, time.Millisecond, 5 * time.Millisecond}

// measureKept shows what it would be worth to keep the record of SignIn for Answer, by
// the distance of the server.
func measureKept(ctx context.Context) (err error) {
	s, err := postgres.Start(ctx)
	if err != nil {
		return missing("PostgreSQL", err)
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	p, err := proxy.Start("unix", filepath.Join(s.Dir, ".s.PGSQL.5432"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	far := *s
	far.DSN = fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", p.Addr().Port)
	d, err := bench.OpenPostgres(&far)
	return measureOn(ctx, d, err, func(ctx context.Context, d *bench.Database) error { return keptFrom(ctx, d, p.Lag) })
}

func keptFrom(ctx context.Context, d *bench.Database, lag func(time.Duration)) error {
	counts, err := numbers()
	if err != nil {
		return err
	}
	crew, err := d.NewCrew(ctx, "crew", bench.CrewOptions{Size: max(*rows, perTurn)})
	if err != nil {
		return err
	}
	members := crew.Members(perTurn)
	bare, err := crew.Bare(ctx, "bare", members)
	if err != nil {
		return err
	}
	kept, err := crew.KeptSignIns(members)
	if err != nil {
		return err
	}
	turns := bench.Effort{Rounds: table.Rounds(41), Turn: 100 * time.Millisecond} // nobody asks for the slowest hundredth
	for _, away := range lags {
		lag(away)
		for _, n := range counts {
			timings, err := bench.Press(ctx, turns, n, kept, crew.SignIns(members), bare.SignIns())
			if err != nil {
				return err
			}
			table.Print(
				throughput(fmt.Sprintf("`SignIn` and `Answer`, %s, %v away, %s", d.Name, away, many(n)), timings[0], timings[1], table.None),
				throughput("the same, as it is", timings[1], timings[2], table.None),
			)
		}
	}
	return nil
}
