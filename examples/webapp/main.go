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

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/database"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
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
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	log := slog.New(slog.NewTextHandler(stderr, nil))
	c := config{Config: enrollment.Config{Now: time.Now, Logger: log}, brands: map[string]string{}, cost: bcrypt.DefaultCost + 2}
	flags := flag.NewFlagSet("webapp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free port")
	flags.StringVar(&c.data, "data", "twofactor-demo", "`folder` for the key file and the SQLite database")
	flags.StringVar(&c.database, "db", "", database.Usage)
	proxied := flags.Bool("secure", false, "mark cookies Secure; use it behind a proxy that serves HTTPS")
	flags.StringVar(&c.Issuer, "issuer", defaultIssuer, "`name` of this service, in pages and authenticator apps")
	flags.StringVar(&c.domain, "domain", "localhost", "`name` of the host, in text messages")
	flags.Func("brand", "another name of this service for one host, as `host=name`; may be repeated",
		func(text string) error { return addBrand(c.brands, text) })
	cert := flags.String("cert", "", "`file` with the certificate for HTTPS; needs -key")
	key := flags.String("key", "", "`file` with the private key for HTTPS")
	show := flags.Bool("demo", true, "show a phone, the mailbox and switches beside each page; only on an address of this machine, and without -secure")
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	c.secure = *proxied || *cert != ""

	// Listen first, so that an address in use leaves no files behind.
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return fmt.Errorf("%w (use -addr to listen on another address, or on any free port with -addr 127.0.0.1:0)", err)
	}
	defer listener.Close()

	// The demonstration shows codes to anyone, so only this machine may reach it.
	tcp, _ := listener.Addr().(*net.TCPAddr)
	local := tcp != nil && tcp.IP.IsLoopback()
	if !local && !c.secure {
		log.Warn("other machines can connect, but neither -secure nor -cert is set: passwords and codes travel unencrypted")
	}
	var s service
	if *show && local && !*proxied {
		s, err = newDemonstration(ctx, c)
	} else {
		s, err = open(ctx, c)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "listening on %s://%s\n", map[bool]string{false: "http", true: "https"}[*cert != ""], listener.Addr())
	var sweeps sync.WaitGroup
	sweeps.Go(func() { front.Every(ctx, time.Minute, func() { s.running().sweep(ctx) }) })
	err = front.Serve(ctx, listener, s, *cert, *key, log)
	stop()
	sweeps.Wait()
	return errors.Join(err, s.running().close())
}

// A service is an app, with the demonstration beside it or without.
type service interface {
	http.Handler
	running() *app
}

func (a *app) running() *app                                    { return a }
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.site.ServeHTTP(w, r) }
