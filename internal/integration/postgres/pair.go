package postgres

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// standbyScript copies the server at $FROM and follows it.
const standbyScript = `
"$BIN/pg_basebackup" --dbname "$FROM" --pgdata "$DIR/data" --write-recovery-conf --wal-method stream --checkpoint fast --no-sync >"$DIR/log" 2>&1 || exit
` + serve

// A Pair is a primary and a standby, with a proxy that leads to the primary. The standby
// follows over a network that takes a moment.
type Pair struct {
	synchronous bool
	front       *proxy.Proxy
	primary     *Server
	standby     *Server
	link        *proxy.Proxy
	broken      error // after a failover that has failed: there may be no standby
}

// StartPair starts a pair. If it is synchronous, a commit waits until the standby has
// flushed it.
func StartPair(ctx context.Context, synchronous bool) (*Pair, error) {
	p := &Pair{synchronous: synchronous}
	var err error
	if p.primary, err = start(ctx, script+server.Keep); err != nil {
		return nil, err
	}
	if p.front, err = proxy.Start("unix", p.primary.socket()); err != nil {
		return nil, errors.Join(err, p.primary.Stop())
	}
	if err := p.follow(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (s *Server) socket() string { return filepath.Join(s.Dir, ".s.PGSQL.5432") }

// DSN leads to the primary, whichever it is.
func (p *Pair) DSN() string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", p.front.Addr().Port)
}

// StandbyDSN leads to the standby.
func (p *Pair) StandbyDSN() string { return p.standby.DSN }

// Near takes away the delay on the way to the standby, until a failover. It is for tests that
// kill nothing: there the delay only takes time.
func (p *Pair) Near() { p.link.Meet(proxy.Trouble{}) }

// follow starts a standby of the primary.
func (p *Pair) follow(ctx context.Context) (err error) {
	if p.link, err = proxy.Start("unix", p.primary.socket()); err != nil {
		return err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", p.link.Addr().Port)
	if p.standby, err = start(ctx, standbyScript+server.Keep, "FROM="+from); err != nil {
		return err
	}
	p.link.Meet(proxy.Trouble{Delay: 1000})
	conn, err := pgx.Connect(ctx, p.primary.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	state := "async"
	if p.synchronous {
		state = "sync"
		for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
	}
	return server.Until(ctx, func() error {
		var n int
		err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = $1", state).Scan(&n)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d standbys in the state %s", n, state)
		}
		return err
	})
}

// CutOff waits until the standby has what the primary has now, and keeps from it what is
// committed later, until FailOver.
func (p *Pair) CutOff(ctx context.Context) error {
	if p.broken != nil {
		return p.broken
	}
	conn, err := pgx.Connect(ctx, p.primary.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	err = server.Until(ctx, func() error {
		var has bool
		err := conn.QueryRow(ctx, "SELECT flush_lsn >= pg_current_wal_lsn() FROM pg_stat_replication").Scan(&has)
		if err == nil && !has {
			err = errors.New("the standby lacks something")
		}
		return err
	})
	p.link.Split()
	return err
}

// failOverWithin bounds a failover.
const failOverWithin = 5 * time.Minute

// FailOver kills the primary and promotes the standby. When it returns, the new primary
// serves and has a standby of its own. After an error, the pair is only good for Log and Stop.
func (p *Pair) FailOver(ctx context.Context) error {
	if p.broken == nil {
		ctx, cancel := context.WithTimeout(ctx, failOverWithin)
		defer cancel()
		p.broken = p.failOver(ctx)
	}
	return p.broken
}

func (p *Pair) failOver(ctx context.Context) error {
	p.link.Split() // what is on its way is lost with the machine
	err := p.primary.Kill()
	p.link.HealBroken()
	if err != nil {
		return err
	}
	dead, link := p.primary, p.link
	p.primary, p.standby, p.link = p.standby, nil, nil
	err = p.primary.promote(ctx)
	if err == nil {
		p.front.Lead("unix", p.primary.socket())
	}
	if err := errors.Join(err, dead.Stop(), link.Close()); err != nil {
		return err
	}
	return p.follow(ctx)
}

// promote makes a primary of a standby.
func (s *Server) promote(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_promote(false)"); err != nil {
		return err
	}
	return server.Until(ctx, func() error {
		var standby bool
		err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby)
		if err == nil && standby {
			err = errors.New("the standby is not promoted")
		}
		return err
	})
}

// Log returns the end of the log of each server.
func (p *Pair) Log() string {
	log := p.primary.Log()
	if p.standby != nil {
		log += "\n\nand of the standby:\n" + p.standby.Log()
	}
	return log
}

// Stop stops everything.
func (p *Pair) Stop() error {
	err := p.front.Close()
	if p.standby != nil {
		err = errors.Join(err, p.standby.Stop())
	}
	if p.link != nil {
		err = errors.Join(err, p.link.Close())
	}
	return errors.Join(err, p.primary.Stop())
}
