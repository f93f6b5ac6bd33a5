// Command quickstart takes one user through two-factor authentication in a
// terminal: scan a QR code, confirm it with a code, keep the recovery codes,
// and then answer with codes, good and bad, and read what becomes of them.
//
//	go run ./examples/quickstart
//
// It takes a phone with an authenticator app, or oathtool. State is in an
// SQLite file, so that a second run with the same -db goes on where the first
// one ended.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, time.Now)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage): // said already, with the usage
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// errUsage says that the arguments make no sense.
var errUsage = errors.New("usage")

// run is the program. It ends without an error when there is no more input.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer, now func() time.Time) (err error) {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	path := flags.String("db", "", "SQLite `file` to keep the state in; made if it is not there (default: one in a new temporary folder)")
	keys := flags.String("keys", "", "`file` of the keys (default: the name of the database and .keys)")
	user := flags.String("user", "alice", "`name` of the user, as the app will show it")
	light := flags.Bool("light", false, "the terminal shows dark text on a light background")
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *path == "" {
		dir, err := os.MkdirTemp("", "twofactor-quickstart-")
		if err != nil {
			return err
		}
		*path = filepath.Join(dir, "quickstart.db")
	}
	if *keys == "" {
		*keys = *path + ".keys"
	}
	background := qr.Dark
	if *light {
		background = qr.Light
	}

	db, err := sqlite.Open(*path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	accounts := sqlstore.New(db, sqlstore.SQLite)
	if err := accounts.Migrate(ctx); err != nil {
		return fmt.Errorf("the database %s: %w", *path, err)
	}
	ring, err := keyfile.Open(ctx, *keys, accounts)
	if err != nil {
		return err
	}
	guard, err := enrollment.New(accounts, ring, enrollment.Config{Issuer: "Acme", Now: now})
	if err != nil {
		return err
	}

	s := newSession(guard, *user, in, out, now)
	s.say("State is in %s; -db with that name continues.", *path)
	status, err := guard.Status(ctx, *user)
	if err != nil {
		return err
	}
	if status.Enabled() {
		s.say("%s is enrolled already, with %d recovery codes left.", *user, status.CodesLeft)
	} else {
		err = s.enroll(ctx, background)
	}
	if err == nil {
		err = s.signInRepeatedly(ctx)
	}
	if errors.Is(err, io.EOF) {
		s.say("\nBye.")
		return nil
	}
	return err
}
