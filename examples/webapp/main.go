// Command webapp is a small web application with accounts, passwords and
// two-factor authentication. It shows how an application uses the twofactor
// library, and what the library leaves to the application.
//
//	go run ./examples/webapp
//
// It keeps its state in ./twofactor-demo, or in the database that -db names. Sign up first. The first user becomes an administrator. Messages to
// users appear at /messages.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage): // already printed, with the usage
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "webapp:", err)
		os.Exit(1)
	}
}

// errUsage says that the arguments are invalid.
var errUsage = errors.New("usage")

// run serves until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("webapp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free port")
	data := flags.String("data", "twofactor-demo", "`folder` for the key file and the SQLite database")
	database := flags.String("db", "", "`address` of the database: sqlite://file, postgres://user:password@host/name or mysql://user:password@host/name; without it, SQLite in the folder")
	codes := flags.Int("codes", recovery.DefaultCount, "`number` of recovery codes in a set")
	secure := flags.Bool("secure", false, "mark cookies Secure; use it behind a proxy that serves HTTPS")
	issuer := flags.String("issuer", defaultIssuer, "`name` of this service, in pages and authenticator apps")
	brands := map[string]string{}
	flags.Func("brand", "another name of this service for one host, as `host=name`; may be repeated",
		func(text string) error { return addBrand(brands, text) })
	keepCodes := flags.Bool("keep-codes", false, "users can see their recovery codes again; the codes are kept inside the sealed accounts")
	replenish := flags.Bool("replenish", false, "replace each recovery code as soon as it is used to sign in")
	codesAtSetup := flags.Bool("codes-at-setup", false, "show recovery codes together with the QR code")
	alone := flags.Bool("messages-alone", false, "text messages can be the only second factor; anyone who can read them needs only the password")
	reauth := flags.Bool("password-disables", false, "users can turn off two-factor authentication with the password; so can someone who stole password and session")
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	// Listen first, so that an address in use leaves no files behind.
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return fmt.Errorf("%w (use -addr to listen on another address, or on any free port with -addr 127.0.0.1:0)", err)
	}
	defer listener.Close()

	// The mailbox shows codes to anyone, so only this machine may reach it.
	tcp, _ := listener.Addr().(*net.TCPAddr)
	local := tcp != nil && tcp.IP.IsLoopback()

	log := slog.New(slog.NewTextHandler(stderr, nil))
	a, err := open(ctx, config{
		data:     *data,
		database: *database,
		codes:    *codes,
		secure:   *secure,
		mailbox:  local && !*secure,
		issuer:   *issuer,
		brands:   brands,
		cost:     bcrypt.DefaultCost + 2,
		now:      time.Now,
		log:      log,

		keepCodes: *keepCodes, replenish: *replenish, codesAtSetup: *codesAtSetup, messagesAlone: *alone, passwordDisables: *reauth,
	})
	if err != nil {
		return err
	}
	defer a.close()

	if !local && !*secure {
		log.Warn("other machines can connect, but -secure is off: passwords and codes travel unencrypted")
	}
	fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr())
	return serve(ctx, listener, a, log)
}

// Limits of the server. They are enough for any browser and give little to a
// client that is slow on purpose.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	graceTimeout = 10 * time.Second
	maxHeader    = 16 << 10
)

// serve answers requests until the context ends. It then waits for running
// requests to finish.
func serve(ctx context.Context, listener net.Listener, a *app, log *slog.Logger) error {
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	var sweeps sync.WaitGroup
	sweeps.Go(func() { a.sweepSessions(ctx) })
	sweeps.Go(func() { a.sweepAccounts(ctx) })
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed: // the sweeps end with the program
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	sweeps.Wait()
	return err
}
