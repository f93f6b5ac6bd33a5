package proxy_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// gone is what echo tells when a connection has ended.
const gone = ""

// echo starts a server that sends back what it receives, and tells what it has received.
func echo(t *testing.T) (addr string, received <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buffer := make([]byte, 100)
				for {
					n, err := c.Read(buffer)
					if err != nil {
						all <- gone
						return
					}
					all <- string(buffer[:n])
					if _, err := c.Write(buffer[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), all
}

func start(t *testing.T) (p *proxy.Proxy, received <-chan string) {
	t.Helper()
	addr, received := echo(t)
	p, err := proxy.Start("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, received
}

func dial(t *testing.T, p *proxy.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// all returns what arrives until the connection is closed.
func all(t *testing.T, c net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("the connection stays open")
	}
	return string(b)
}

func TestCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		direction     proxy.Direction
		keep          int
		received, got string
	}{
		"in the middle of a request": {proxy.Request, 2, "he", ""},
		"before a reply":             {proxy.Reply, 0, "hello", ""},
		"in the middle of a reply":   {proxy.Reply, 3, "hello", "hel"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, received := start(t)
			p.Cut(c.direction, c.keep)
			conn := dial(t, p)
			send(t, conn, "hello")
			if got := all(t, conn); got != c.got {
				t.Errorf("the client got %q, want %q", got, c.got)
			}
			select {
			case got := <-received:
				if got != c.received {
					t.Errorf("the server got %q, want %q", got, c.received)
				}
			case <-time.After(time.Minute):
				t.Errorf("the server got nothing, want %q", c.received)
			}
			next := dial(t, p) // only one was cut
			send(t, next, "again")
			if b := make([]byte, 5); func() bool { _, err := io.ReadFull(next, b); return err != nil || string(b) != "again" }() {
				t.Errorf("the next connection got %q", b)
			}
		})
	}
}

// TestLag sees that each reply waits, and arrives whole.
func TestLag(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	conn := dial(t, p)
	const lag = 50 * time.Millisecond
	p.Lag(lag)
	for range 3 {
		began := time.Now()
		send(t, conn, "hello")
		b := make([]byte, 5)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
			t.Fatalf("got %q, %v", b, err)
		}
		if took := time.Since(began); took < lag {
			t.Errorf("the reply came after %v, want at least %v", took, lag)
		}
	}
}

// TestSplit sees that nothing passes during a split, and what is on its way afterwards.
func TestSplit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ broken, twice bool }{
		"heals":                    {},
		"outlasts the connections": {broken: true},
		"splits again, and heals":  {twice: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, received := start(t)
			conn := dial(t, p)
			p.Split()
			send(t, conn, "hello")
			if err := server.Until(t.Context(), func() error {
				if p.Figures().Passages == 0 {
					return errors.New("nothing waits in the proxy")
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-received:
				t.Fatalf("the server got %q", got)
			default:
			}
			if c.twice {
				p.Split()
			}
			if n := p.Figures().Splits; n != 1 {
				t.Errorf("%d splits", n)
			}
			if c.broken {
				p.HealBroken()
				if got := all(t, conn); got != "" {
					t.Errorf("the client got %q", got)
				}
				if got := <-received; got != gone {
					t.Errorf("the server got %q", got)
				}
				return
			}
			p.Heal()
			if b := make([]byte, 5); func() bool { _, err := io.ReadFull(conn, b); return err != nil || string(b) != "hello" }() {
				t.Errorf("the client got %q", b)
			}
		})
	}
}

// TestTrouble meets each kind by chance.
func TestTrouble(t *testing.T) {
	t.Parallel()
	p, received := start(t)
	go func() {
		for { // so that the server never waits
			select {
			case <-received:
			case <-t.Context().Done():
				return
			}
		}
	}()
	p.Meet(proxy.Trouble{CutRequest: 100, CutReply: 100, LoseReply: 100, Delay: 100})
	for range 1000 {
		c := dial(t, p)
		send(t, c, "hello")
		b := make([]byte, 5)
		_, _ = io.ReadFull(c, b)
		c.Close()
		if f := p.Figures(); f.CutRequests > 0 && f.CutReplies > 0 && f.LostReplies > 0 && f.Delays > 0 {
			return
		}
	}
	t.Errorf("something does not happen: %v", p.Figures())
}
