// Command before is the application of examples/minimal before it had a second factor.
//
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
	flag.Parse()
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "before:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w (another address: -addr localhost:0)", err)
	}
	a := newApp()
	a.insecure = true // this program has no TLS
	fmt.Printf("Open http://%s and sign in as alice with the password %q.\n", listener.Addr(), a.passwords["alice"])
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
