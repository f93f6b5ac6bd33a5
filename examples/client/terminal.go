package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// A terminal is where the user is, or what is in the user's place.
type terminal struct {
	ctx context.Context
	in  *bufio.Reader
	out io.Writer
	fd  int // of a real terminal, or -1
}

func newTerminal(ctx context.Context, in io.Reader, out io.Writer) *terminal {
	t := &terminal{ctx: ctx, in: bufio.NewReader(in), out: out, fd: -1}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.fd = int(f.Fd())
	}
	return t
}

func (t *terminal) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// ask returns the line that the user types.
func (t *terminal) ask(prompt string) (string, error) {
	fmt.Fprint(t.out, prompt)
	line, err := t.in.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	return strings.TrimSpace(line), errors.Join(err, t.ctx.Err())
}

// askSecret is the same for a password, which is not shown.
func (t *terminal) askSecret(prompt string) (string, error) {
	if t.fd < 0 {
		return t.ask(prompt)
	}
	fmt.Fprint(t.out, prompt)
	text, err := term.ReadPassword(t.fd)
	fmt.Fprintln(t.out)
	return string(text), errors.Join(err, t.ctx.Err())
}

// printable returns the text without what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
