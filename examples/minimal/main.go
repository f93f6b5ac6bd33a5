// Command minimal is a web application with passwords and sessions to which a second
// factor was added. The folder before has the same program without a second factor.
//
//	export TWOFACTOR_KEYS=$(cat twofactor-demo.key) # see examples/README.md
//	go run ./examples/minimal
//	diff -Nx '*_test.go' -x before examples/minimal/before examples/minimal
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	data := flag.String("db", "minimal.db", "SQLite `file` for the second factor; created if missing")
	flag.Parse()
	if err := run(ctx, *addr, *data); err != nil {
		fmt.Fprintln(os.Stderr, "minimal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, data string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w (another address: -addr localhost:0)", err)
	}
	a := newApp()
	a.insecure = true // this program has no TLS
	if err := a.openSecondFactor(ctx, data); err != nil {
		return err
	}
	fmt.Printf("Open http://%s and sign in as alice with the password %q.\n", listener.Addr(), a.passwords["alice"])
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
