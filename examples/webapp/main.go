// Command webapp is a small web application with accounts, passwords and
// two-factor authentication. It shows how an application uses the twofactor
// library, and what the library leaves to the application.
//
//	go run ./examples/webapp
//
// It keeps its state in ./twofactor-demo, or in the database that -db names. On an address
// of this machine, each page has a bar with stories to start, a phone and the mailbox.
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
	database := flags.String("db", "", "`address` of the database: sqlite://file, postgres://user:password@host/name or mysql://user:password@tcp(host)/name; without it, SQLite in the folder")
	secure := flags.Bool("secure", false, "mark cookies Secure; use it behind a proxy that serves HTTPS")
	issuer := flags.String("issuer", defaultIssuer, "`name` of this service, in pages and authenticator apps")
	domain := flags.String("domain", "localhost", "`name` of the host, in text messages")
	brands := map[string]string{}
	flags.Func("brand", "another name of this service for one host, as `host=name`; may be repeated",
		func(text string) error { return addBrand(brands, text) })
	cert := flags.String("cert", "", "`file` with the certificate for HTTPS; needs -key")
	key := flags.String("key", "", "`file` with the private key for HTTPS")
	show := flags.Bool("demo", true, "show a phone, the mailbox and switches beside each page; only on an address of this machine, and without -secure")
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

	// The demonstration shows codes to anyone, so only this machine may reach it.
	tcp, _ := listener.Addr().(*net.TCPAddr)
	local := tcp != nil && tcp.IP.IsLoopback()
	log := slog.New(slog.NewTextHandler(stderr, nil))
	c := config{
		data:     *data,
		database: *database,
		secure:   *secure || *cert != "",
		issuer:   *issuer,
		domain:   *domain,
		brands:   brands,
		cost:     bcrypt.DefaultCost + 2,
		now:      time.Now,
		log:      log,
	}
	if !local && !c.secure {
		log.Warn("other machines can connect, but neither -secure nor -cert is set: passwords and codes travel unencrypted")
	}
	s := &server{listener: listener, cert: *cert, key: *key, log: log}
	if *show && local && !*secure {
		d, err := newDemonstration(ctx, c)
		if err != nil {
			return err
		}
		s.handler, s.current = d, d.current
	} else {
		a, err := open(ctx, c)
		if err != nil {
			return err
		}
		s.handler, s.current = a.handler(), func() *app { return a }
	}
	defer func() { _ = s.current().close() }()
	fmt.Fprintf(stdout, "listening on %s://%s\n", map[bool]string{false: "http", true: "https"}[*cert != ""], listener.Addr())
	return s.serve(ctx)
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

// A server serves the site.
type server struct {
	listener  net.Listener
	cert, key string
	handler   http.Handler
	current   func() *app
	log       *slog.Logger
}

// serve answers requests until the context ends. It then waits for running requests to
// finish.
func (s *server) serve(ctx context.Context) error {
	web := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	var sweeps sync.WaitGroup
	sweeps.Go(func() { every(ctx, sweepInterval, func() { s.current().sweepSessions(ctx) }) })
	sweeps.Go(func() { every(ctx, accountSweep, func() { s.current().sweepAccounts(ctx) }) })
	failed := make(chan error, 1)
	go func() {
		if s.cert != "" {
			failed <- web.ServeTLS(s.listener, s.cert, s.key)
			return
		}
		failed <- web.Serve(s.listener)
	}()

	select {
	case err := <-failed: // the sweeps end with the program
		return err
	case <-ctx.Done():
	}
	s.log.Info("shutting down")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTimeout)
	defer cancel()
	err := web.Shutdown(grace)
	sweeps.Wait()
	return err
}

// every calls f now and after each interval, until the context ends.
func every(ctx context.Context, interval time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		f()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
