// Command webapp is a small web application with accounts, passwords and
// two-factor authentication: what a host of the twofactor library looks like,
// with everything that the library leaves to it.
//
//	go run ./examples/webapp
//
// It keeps its state in ./twofactor-demo, or with -postgres in a PostgreSQL
// database. There is no account to begin with: sign up. The first account is an
// administrator's. What would be sent to users stands at /messages.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage): // said already, with the usage
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "webapp:", err)
		os.Exit(1)
	}
}

// errUsage says that the arguments make no sense.
var errUsage = errors.New("usage")

// run serves until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("webapp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	data := flags.String("data", "twofactor-demo", "`folder` for the key file, and for the SQLite database")
	postgres := flags.String("postgres", "", "data source name of a PostgreSQL `database` to use instead of SQLite")
	secure := flags.Bool("secure", false, "mark cookies Secure: users come by HTTPS, through a proxy that ends TLS")
	issuer := flags.String("issuer", defaultIssuer, "`name` of this service, here and in authenticator apps")
	brands := map[string]string{}
	flags.Func("brand", "another name of this service, for one `host=name` in the address; can be given several times",
		func(text string) error { return addBrand(brands, text) })
	keepCodes := flags.Bool("keep-codes", false, "recovery codes can be shown again: they are kept in clear inside the sealed accounts")
	replenish := flags.Bool("replenish", false, "each recovery code that was used for signing in is replaced at once")
	codesAtSetup := flags.Bool("codes-at-setup", false, "recovery codes are shown with the QR code")
	alone := flags.Bool("messages-alone", false, "codes in messages may be all that a user has: a second factor that whoever reads the messages has, too")
	reauth := flags.Bool("password-disables", false, "the password switches two-factor authentication off, without a code: whoever has stolen it needs nothing else")
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	// First of all, so that an address that can't be had leaves nothing behind.
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer listener.Close()

	// The mailbox shows codes to whoever asks, so it is for this machine alone.
	tcp, _ := listener.Addr().(*net.TCPAddr)
	local := tcp != nil && tcp.IP.IsLoopback()

	log := slog.New(slog.NewTextHandler(stderr, nil))
	a, err := open(ctx, config{
		data:     *data,
		postgres: *postgres,
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
		log.Warn("listening beyond this machine without -secure: passwords and codes travel in clear text")
	}
	fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr())
	return serve(ctx, listener, a, log)
}

// Limits of the server: enough for any browser, and little for one that is
// slow on purpose.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	graceTimeout = 10 * time.Second
	maxHeader    = 16 << 10
)

// serve answers requests until the context ends, and then lets those that are
// under way finish.
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
	case err := <-failed: // main ends the sweeps with the program
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
