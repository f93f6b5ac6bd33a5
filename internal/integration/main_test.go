package integration_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

// roles are what a child process of a test can be: this test binary, started
// again with its role in the environment. A role ends by returning; an error
// is printed and makes the exit code 1.
var roles = map[string]func(args []string) error{}

const roleEnv = "TWOFACTOR_ROLE"

func TestMain(m *testing.M) {
	name := os.Getenv(roleEnv)
	if name == "" {
		// Most of the time, most tests wait for a server, which takes no more than 200 connections.
		// The flag -parallel still counts.
		if err := flag.Set("test.parallel", strconv.Itoa(min(8, 2*runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
		os.Exit(testenv.Run(m))
	}
	role, ok := roles[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", name)
		os.Exit(2)
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a process that plays a role.
type child struct {
	*exec.Cmd
	lines  *bufio.Scanner // its standard output
	stdin  io.WriteCloser
	stderr *strings.Builder
}

// start starts a child. It is killed with the test at the latest.
func start(t *testing.T, role string, args ...string) *child {
	t.Helper()
	c, err := newChild(t.Context(), role, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newChild(ctx context.Context, role string, args ...string) (*child, error) {
	c := &child{Cmd: exec.CommandContext(ctx, os.Args[0], args...), stderr: new(strings.Builder)}
	// A child is killed before the race detector would end it with an error, so a race ends it at once.
	c.Env = append(os.Environ(), roleEnv+"="+role, "GORACE=halt_on_error=1 "+os.Getenv("GORACE"))
	c.Stderr = c.stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.lines = bufio.NewScanner(out)
	if c.stdin, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	return c, c.Start()
}
