// Command operator has the commands for operators of the service: for users who are
// locked out, for ids that change, for keys that are replaced or lost. It works on
// the data of the webapp, even while that is running:
//
//	go run ./examples/operator help
//	go run ./examples/operator -data twofactor-demo stats
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/database"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run opens what the service has, and runs the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	data := flags.String("data", "twofactor-demo", "`folder` with the key file and the SQLite database")
	address := flags.String("db", "", database.Usage+". Put one with a password into TWOFACTOR_DB instead")
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return operator.ExitOK
	} else if err != nil {
		return operator.ExitUsage
	}
	o := operator.Options{Actor: "operator", Call: called(args[0], flags), Stdout: stdout, Stderr: stderr}
	if command := flags.Arg(0); command != "" && command != "help" { // help needs no data
		var err error
		if o.Guard, o.Lister, err = open(ctx, *data, cmp.Or(*address, os.Getenv("TWOFACTOR_DB")), stderr); err != nil {
			fmt.Fprintln(stderr, "operator:", err)
			return operator.ExitFault
		}
	}
	return operator.Run(ctx, flags.Args(), o)
}

// called returns how this program was called, up to the command. A password in the address
// of the database is masked, because what is printed may end up in a log.
func called(program string, flags *flag.FlagSet) []string {
	call := []string{program}
	if strings.Contains(program, "go-build") { // go run deletes it
		call = []string{"go", "run", "github.com/seed-1b6a03a1/twofactor/examples/operator"}
	}
	flags.Visit(func(f *flag.Flag) { call = append(call, "-"+f.Name, database.Masked(f.Value.String())) })
	return call
}

// open opens the database and the keys. It creates neither: the service has done that, or
// the flags are wrong. A real service takes its own function for this, so that both
// programs have the same Config.
func open(ctx context.Context, data, address string, stderr io.Writer) (*enrollment.Guard, *sqlstore.Store, error) {
	address = cmp.Or(address, "sqlite://"+filepath.Join(data, "app.db"))
	if path, ok := strings.CutPrefix(address, "sqlite://"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, nil, fmt.Errorf("are -data and -db those of the service? %w", err)
		}
	}
	db, dialect, err := database.Open(address) // until the program ends
	if err != nil {
		return nil, nil, err
	}
	accounts := sqlstore.New(db, dialect)
	keys, err := keyfile.Find(ctx, filepath.Join(data, "twofactor.key"), accounts)
	if err != nil {
		return nil, nil, err
	}
	guard, err := enrollment.New(accounts, keys, enrollment.Config{
		Issuer: "Acme",
		// It stands for the service's own, which puts the event into the queue of mails.
		Notify: func(_ context.Context, e enrollment.Event) error {
			_, err := fmt.Fprintf(stderr, "mail to %q: %s by %q: %q\n", e.UserID, e.Kind, e.Actor, e.Note)
			return err
		},
	})
	return guard, accounts, err
}
