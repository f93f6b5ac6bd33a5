package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func init() {
	roles["saver"] = saver
	roles["racer"] = racer
	roles["migrator"] = migrator
}

// openArgs returns the store that the arguments of a role name: a dialect and
// a data source.
func openArgs(args []string) (*sqlstore.Store, error) {
	d, err := testenv.ParseDialect(args[0])
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(testenv.Driver(d), args[1])
	if err != nil {
		return nil, err
	}
	return sqlstore.New(db, d), nil
}

// saver replaces alice's record for ever, and prints each version that was
// acknowledged. What the saver before it had sent may be carried out after the Load.
func saver(args []string) error {
	s, err := openArgs(args)
	if err != nil {
		return err
	}
	ctx := context.Background()
	r, err := s.Load(ctx, "alice")
	for first := true; err == nil; {
		prev := r.Version
		r = record("alice", prev+1)
		err = s.Save(ctx, r, prev)
		switch {
		case err == nil:
			fmt.Println(r.Version)
		case first && errors.Is(err, store.ErrConflict):
			r, err = s.Load(ctx, "alice")
		}
		first = false
	}
	return err
}

// TestKilledWriter kills a process that saves, several times over, and looks
// for the last version that it said was saved.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := testenv.SQL(t, d)
			open := func() (*sqlstore.Store, *sql.DB) {
				db, err := sql.Open(testenv.Driver(d), dsn)
				if err != nil {
					t.Fatal(err)
				}
				return sqlstore.New(db, d), db
			}
			s, db := open()
			migrated(t, s)
			if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
				t.Fatal(err)
			}
			db.Close() // so that the child is alone with the file when it dies

			last := int64(1)
			for round := range 4 {
				c := start(t, "saver", d.String(), dsn)
				killed := false
				for n := 0; c.lines.Scan(); n++ {
					v, err := strconv.ParseInt(c.lines.Text(), 10, 64)
					if err != nil {
						t.Fatalf("the child printed %q", c.lines.Text())
					}
					// A server can still carry out what the killed child had
					// sent, so a round may begin one higher.
					if v <= last || n > 0 && v != last+1 || v > last+2 {
						t.Fatalf("round %d: version %d was acknowledged after %d", round, v, last)
					}
					last = v
					if n == 40+13*round {
						if err := c.Process.Kill(); err != nil {
							t.Fatal(err)
						}
						killed = true // and what it has printed meanwhile is read on
					}
				}
				if err := c.Wait(); err == nil || !killed {
					t.Fatalf("round %d: the child ended by itself: %v, %s", round, err, c.stderr)
				}
				s, db := open()
				r, err := s.Load(t.Context(), "alice")
				if err != nil {
					t.Fatal(err)
				}
				// One more may have been saved and not yet been printed.
				if r.Version != last && r.Version != last+1 {
					t.Fatalf("round %d: version %d was acknowledged, and %d is there", round, last, r.Version)
				}
				if want := record("alice", r.Version); string(r.Data) != string(want.Data) {
					t.Fatalf("round %d: version %d has other data", round, r.Version)
				}
				last = r.Version
				if err := s.Check(t.Context()); err != nil {
					t.Errorf("round %d: Check = %v, want nil", round, err)
				}
				if d == sqlstore.SQLite {
					var ok string
					if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&ok); err != nil || ok != "ok" {
						t.Errorf("round %d: integrity_check = %q, %v", round, ok, err)
					}
				}
				db.Close()
			}
		})
	}
}

// raceVersions is where racers stop.
const raceVersions = 150

// racer replaces alice's record, against other processes, and prints each
// version that it has replaced.
func racer(args []string) error {
	s, err := openArgs(args)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var line string
	fmt.Println("ready")
	fmt.Scanln(&line) // all begin at once
	for {
		r, err := s.Load(ctx, "alice")
		if err != nil {
			return err
		}
		if r.Version >= raceVersions {
			return nil
		}
		prev := r.Version
		r.Version++
		r.Data = []byte(args[2])
		switch err := s.Save(ctx, r, prev); {
		case err == nil:
			fmt.Println(prev)
		case !errors.Is(err, store.ErrConflict):
			return err
		}
	}
}

// TestRacingProcesses lets several processes contend for one record. Each
// version is replaced by exactly one of them.
func TestRacingProcesses(t *testing.T) {
	t.Parallel()
	const processes = 4
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := testenv.SQL(t, d)
			db, err := sql.Open(testenv.Driver(d), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s := migrated(t, sqlstore.New(db, d))
			if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
				t.Fatal(err)
			}
			var racers []*child
			for i := range processes {
				c := start(t, "racer", d.String(), dsn, strconv.Itoa(i))
				if !c.lines.Scan() || c.lines.Text() != "ready" {
					t.Fatalf("racer %d: %q, %s", i, c.lines.Text(), c.stderr)
				}
				racers = append(racers, c)
			}
			for _, c := range racers {
				fmt.Fprintln(c.stdin, "go")
			}
			winner := make(map[string]int)
			var wins []string
			for i, c := range racers {
				n := 0
				for c.lines.Scan() {
					if other, twice := winner[c.lines.Text()]; twice {
						t.Errorf("version %s was replaced by process %d and by %d", c.lines.Text(), other, i)
					}
					winner[c.lines.Text()] = i
					n++
				}
				if err := c.Wait(); err != nil {
					t.Errorf("racer %d: %v, %s", i, err, c.stderr)
				}
				wins = append(wins, strconv.Itoa(n))
			}
			if len(winner) != raceVersions-1 {
				t.Errorf("%d versions were replaced, want %d", len(winner), raceVersions-1)
			}
			if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != raceVersions {
				t.Errorf("Load = version %d, %v, want %d", r.Version, err, raceVersions)
			}
			t.Logf("wins: %s", strings.Join(wins, ", "))
		})
	}
}

// migrator migrates at its start, as the processes of a service do.
func migrator(args []string) error {
	s, err := openArgs(args)
	if err != nil {
		return err
	}
	var line string
	fmt.Println("ready")
	fmt.Scanln(&line) // all begin at once
	return s.Migrate(context.Background())
}

// TestProcessesStartAtOnce starts several processes on an empty database.
func TestProcessesStartAtOnce(t *testing.T) {
	t.Parallel()
	const processes = 4
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := testenv.SQL(t, d)
			var all []*child
			for i := range processes {
				c := start(t, "migrator", d.String(), dsn)
				if !c.lines.Scan() || c.lines.Text() != "ready" {
					t.Fatalf("process %d: %q, %s", i, c.lines.Text(), c.stderr)
				}
				all = append(all, c)
			}
			for _, c := range all {
				fmt.Fprintln(c.stdin, "go")
			}
			for i, c := range all {
				if err := c.Wait(); err != nil {
					t.Errorf("process %d: %v, %s", i, err, c.stderr)
				}
			}
			if err := sqlstore.New(testenv.OpenSQL(t, d, dsn), d).Check(t.Context()); err != nil {
				t.Errorf("Check = %v, want nil", err)
			}
		})
	}
}
