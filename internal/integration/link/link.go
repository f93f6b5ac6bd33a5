//go:build linux

// Package link puts a server at the end of a network link of its own, which can be taken
// down. Packets are dropped then, and nobody is told: connections hang, and what was on its
// way arrives when the link is up again, if its sender has not given up. A proxy can't do
// that, because it answers for the server.
package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
)

var (
	// ErrMissing says that the program ip is not here.
	ErrMissing = errors.New("ip is not in PATH")

	// ErrRefused says that the kernel makes no network for this process.
	ErrRefused = errors.New("the kernel makes no network namespace")
)

// A Link leads to one server. It is safe for concurrent use until Close.
type Link struct {
	front *proxy.Proxy // listens in the namespace
	calls chan call    // what the thread in the namespace does
}

type call struct {
	do   func() error
	done chan error
}

// Start makes a namespace with a link to it, in which clients reach the server at addr, such
// as a Unix socket. It returns an error that matches [ErrMissing] or [ErrRefused] if that is
// not possible here.
func Start(network, addr string) (*Link, error) {
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, ErrMissing
	}
	l := &Link{calls: make(chan call)}
	go l.inside()
	err := l.call(func() error { return syscall.Unshare(syscall.CLONE_NEWNET) })
	if err != nil {
		l.end()
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := l.connect(network, addr); err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

// inside does what is called in a thread of its own, which is in the namespace. The thread
// ends with the goroutine, because it stays locked, and the namespace and the link end with
// the thread and the listener.
func (l *Link) inside() {
	runtime.LockOSThread()
	for c := range l.calls {
		c.done <- c.do()
	}
}

func (l *Link) call(do func() error) error {
	c := call{do, make(chan error)}
	l.calls <- c
	return <-c.done
}

func (l *Link) end() { close(l.calls) }

// connect makes the two ends of the link, and listens at the far one. The addresses are of
// the networks for benchmarks, which are not on the internet.
func (l *Link) connect(network, addr string) error {
	const address = "02:00:00:00:00:02"
	var thread int
	_ = l.call(func() error { thread = syscall.Gettid(); return nil })
	var n int
	for tries := 10; ; tries-- {
		n = rand.IntN(1<<15) * 4
		err := ip(fmt.Sprintf("link add tf%d type veth peer name far address %s netns %d", n, address, thread))
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "File exists") || tries == 1 { // another link may have drawn it
			return err
		}
	}
	name := fmt.Sprintf("tf%d", n)
	near := net.IPv4(198, 18+byte(n>>16), byte(n>>8), byte(n)+1)
	far := net.IPv4(198, 18+byte(n>>16), byte(n>>8), byte(n)+2)
	// A neighbour that is known for good is not looked for, and so not missed.
	for _, args := range []string{
		fmt.Sprintf("address add %v/30 dev %s", near, name),
		fmt.Sprintf("link set %s up", name),
		fmt.Sprintf("neighbour add %v lladdr %s nud permanent dev %s", far, address, name),
	} {
		if err := ip(args); err != nil {
			return err
		}
	}
	return l.call(func() error {
		if err := errors.Join(ip(fmt.Sprintf("address add %v/30 dev far", far)), ip("link set far up")); err != nil {
			return err
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(far.String(), "0"))
		if err != nil {
			return err
		}
		l.front = proxy.StartOn(listener, network, addr)
		return nil
	})
}

// ip runs the program ip in the namespace of the calling thread.
func ip(args string) error {
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("ip %s: %w: %s", args, err, out)
		if os.Geteuid() != 0 || strings.Contains(string(out), "not permitted") {
			err = fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return err
}

// Addr is where clients connect.
func (l *Link) Addr() *net.TCPAddr { return l.front.Addr() }

// Down takes the link down until Up.
func (l *Link) Down() error { return l.call(func() error { return ip("link set far down") }) }

// Up ends Down.
func (l *Link) Up() error { return l.call(func() error { return ip("link set far up") }) }

// Close removes the link and the namespace.
func (l *Link) Close() error {
	err := l.front.Close()
	l.end()
	return err
}
