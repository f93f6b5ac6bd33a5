// Command moving moves the second factors of users from another system, or says what
// would move and what would not. Without -write it writes nothing:
//
//	go run ./examples/moving -from fortify -old laravel.db
//	go run ./examples/moving -from fortify -old laravel.db -short-until 2027-03-01 -write
//
// The keys of the old system come from its own environment variables. MOVING.md, beside
// package enrollment, has the steps around it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// options are what the flags say.
type options struct {
	from, old, query, data string
	shortUntil             time.Time
	write                  bool
}

// readOptions reads the flags.
func readOptions(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("moving", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.from, "from", "", "the old `system`: column, fortify, devise, django or keycloak")
	flags.StringVar(&o.old, "old", "", "where it is: an SQLite `file`, postgres://…, mysql://user:password@tcp(host)/name, or the JSON of keycloak")
	flags.StringVar(&o.query, "query", "", "the SELECT instead of the usual one (column, fortify, devise)")
	flags.StringVar(&o.data, "data", "twofactor-demo", "`folder` of the new service, with its key file and SQLite database")
	flags.Func("short-until", "take secrets of 80 to 127 bits, to be replaced by this `date`: Config.ShortSecretsUntil", func(text string) (err error) {
		o.shortUntil, err = time.Parse(time.DateOnly, text)
		return err
	})
	flags.BoolVar(&o.write, "write", false, "move the users; without it, only say what would move")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.from == "" || o.old == "" || flags.NArg() > 0 {
		flags.Usage()
		return o, errors.New("pass -from and -old")
	}
	return o, nil
}

// run returns the exit status: 0 if everybody moves, 1 if somebody stays or something
// fails, 2 if the flags are wrong.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		fmt.Fprintln(stderr, "moving:", err)
		return 2
	}
	stay, err := o.run(ctx, getenv, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "moving:", err)
	}
	if err != nil || stay > 0 {
		return 1
	}
	return 0
}

// run opens both systems, and moves or rehearses. It returns how many users stay in the
// old one.
func (o options) run(ctx context.Context, getenv func(string) string, stdout io.Writer) (stay int, err error) {
	users, done, err := o.openOld(ctx, getenv)
	if err != nil {
		return 0, fmt.Errorf("the old system: %w", err)
	}
	defer done()
	guard, done, err := o.openNew(ctx)
	if err != nil {
		return 0, fmt.Errorf("the new service: %w", err)
	}
	defer done()
	m := &mover{guard: guard, out: stdout}
	if o.write {
		count, err := m.move(ctx, users)
		return m.summary("moved", count), err
	}
	count, err := m.rehearse(ctx, users)
	return m.summary("would move", count), err
}
