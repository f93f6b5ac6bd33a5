// Command quickstart shows two-factor authentication in a terminal, for one user.
// You scan a QR code, confirm it with a code and get recovery codes. Then you
// enter codes, right and wrong, and read the answers.
//
//	go run ./examples/quickstart
//
// You need an authenticator app or oathtool. The program keeps its state in an
// SQLite file. Run it again with the same -db to continue.
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
	case errors.Is(err, errUsage): // already printed, with the usage
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// errUsage says that the arguments are invalid.
var errUsage = errors.New("usage")

// run is the program. It returns nil at the end of the input.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer, now func() time.Time) (err error) {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	path := flags.String("db", "", "SQLite `file` for the state; created if missing (default: a new file in a temporary folder)")
	keys := flags.String("keys", "", "`file` for the keys (default: the name of the database file plus .keys)")
	user := flags.String("user", "alice", "`name` of the user, shown in the app")
	light := flags.Bool("light", false, "draw the QR code for a terminal with a light background")
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
	guard, _, err := enrollment.Open(ctx, accounts, ring, enrollment.Config{Issuer: "Acme", Now: now})
	if err != nil {
		return fmt.Errorf("the key file %s and the database %s: %w", *keys, *path, err)
	}

	s := newSession(guard, *user, in, out, now)
	s.say("The state is in %s.\nTo continue later, pass that name with -db.", *path)
	status, err := guard.Status(ctx, *user)
	if err != nil {
		return err
	}
	if status.Enabled() {
		s.say("Two-factor authentication is already on for %s. Recovery codes left: %d.", *user, status.CodesLeft)
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
