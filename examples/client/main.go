// Command client is a command-line client of the JSON that enrollment/web speaks. It works
// with any host that gives bearer tokens, such as the one in examples/hosts/echo:
//
//	export TWOFACTOR_KEYS=$(cat twofactor-demo.key) # see examples/README.md
//	go run ./examples/hosts/echo &
//	go run ./examples/client sign-up carol
//	go run ./examples/client enable
//	go run ./examples/client sign-in carol
//
// The token of the session is kept in the user's configuration folder, in a file that
// nobody else can read. Nothing but package qr comes from this repository, so a client in
// another language looks the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/seed-1b6a03a1/twofactor/qr"
)

const usage = `usage: client [flags] command

  sign-up NAME   make an account and sign in
  sign-in NAME   sign in, with a code if two-factor authentication is on
  status         who is signed in, and what protects the account
  enable         turn two-factor authentication on
  codes          make new recovery codes
  disable        turn two-factor authentication off
  danger         do something that takes a code each time
  sign-out       forget the session

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once, even while it reads a line.
	context.AfterFunc(ctx, stop)
	folder, err := os.UserConfigDir()
	if err == nil {
		err = run(ctx, os.Args[1:], filepath.Join(folder, "twofactor-client"), os.Stdin, os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

// A client is one run of the command.
type client struct {
	*api
	*terminal
	keep       keep
	background qr.Background
}

func run(ctx context.Context, args []string, folder string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	flags.SetOutput(stdout)
	flags.Usage = func() { fmt.Fprint(stdout, usage); flags.PrintDefaults() }
	at := flags.String("at", "http://localhost:8080", "`address` of the host")
	light := flags.Bool("light", false, "the terminal has a light background")
	if err := flags.Parse(args); err != nil {
		return err
	}
	host, err := newAPI(*at)
	if err != nil {
		return err
	}
	c := &client{api: host, terminal: newTerminal(ctx, stdin, stdout), keep: keep{filepath.Join(folder, "session.json")}}
	if *light {
		c.background = qr.Light
	}
	c.started = c.keepSession
	commands := map[string]func(context.Context, string) error{
		"sign-up": c.signUp, "sign-in": c.signIn, "status": c.status, "enable": c.enable,
		"codes": c.newCodes, "disable": c.disable, "danger": c.danger, "sign-out": nil,
	}
	command, known := commands[flags.Arg(0)]
	named := flags.Arg(0) == "sign-up" || flags.Arg(0) == "sign-in"
	if !known || flags.NArg() > 2 || named != (flags.NArg() == 2) {
		flags.Usage()
		return errors.New("no such command")
	}
	if flags.Arg(0) == "sign-out" { // also if the file can't be read
		return c.keep.remove()
	}
	if c.session, err = c.keep.load(c.at); err != nil {
		return err
	}
	return command(ctx, flags.Arg(1))
}

// keepSession keeps a new session, which the host has given in an answer.
func (c *client) keepSession(token string) error { return c.keep.save(c.at, token) }
