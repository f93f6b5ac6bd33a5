// Package proxy stands on loopback between a client and its server, and does what
// networks do: it delays, cuts a connection in the middle of a request or a reply,
// loses the reply to what the server has done, and splits the two from each other.
package proxy

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A Direction is the way of what passes.
type Direction int

// The two directions.
const (
	Request Direction = iota // from the client to the server
	Reply
)

// A Trouble says what happens by chance. Each number is how many of a thousand
// passages are treated so.
type Trouble struct {
	CutRequest int // half of it passes, and then the connection is closed
	CutReply   int // the same
	LoseReply  int // nothing of it passes, and then the connection is closed
	Delay      int // it waits for up to MaxDelay
}

// MaxDelay is the longest delay by chance.
const MaxDelay = 3 * time.Millisecond

// Figures count what has happened.
type Figures struct {
	Connections, Passages, CutRequests, CutReplies, LostReplies, Delays, Splits int
}

// String is for the log of a test.
func (f Figures) String() string {
	return fmt.Sprintf("%d connections, %d passages: %d requests cut, %d replies cut, %d replies lost, %d delays, %d splits",
		f.Connections, f.Passages, f.CutRequests, f.CutReplies, f.LostReplies, f.Delays, f.Splits)
}

// A Proxy is between its clients and one server. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	group    sync.WaitGroup

	mu            sync.Mutex
	network, addr string // of the server

	pairs   map[*pair]bool
	closed  bool
	random  *rand.Rand
	trouble Trouble
	lag     time.Duration
	armed   []cut
	open    chan struct{} // closed while the two are not split
	figures Figures
}

// A pair is a client's connection and the one to the server behind it.
type pair struct{ client, server net.Conn }

func (c *pair) close() {
	c.client.Close()
	c.server.Close()
}

// A cut is what happens to the next passage in a direction.
type cut struct {
	direction Direction
	keep      int // bytes that pass
}

// Start listens on a port of loopback for clients of the server at addr.
func Start(network, addr string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return StartOn(l, network, addr), nil
}

// StartOn is Start with a listener, which the proxy closes.
func StartOn(l net.Listener, network, addr string) *Proxy {
	p := &Proxy{
		listener: l, network: network, addr: addr, pairs: map[*pair]bool{},
		random: rand.New(rand.NewPCG(1, 2)), open: make(chan struct{}),
	}
	close(p.open)
	p.group.Go(p.serve)
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() *net.TCPAddr { return p.listener.Addr().(*net.TCPAddr) }

// Close closes all connections, and returns when nothing passes any more.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Heal()
	p.disconnect()
	p.group.Wait()
	return err
}

// Meet sets what happens by chance from now on.
func (p *Proxy) Meet(t Trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = t
}

// Lag makes each reply wait for d from now on, as a longer way would. What the server
// sends meanwhile on the same connection waits behind it.
func (p *Proxy) Lag(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lag = d
}

// Lead leads to another server from now on, and closes what leads to the one before.
func (p *Proxy) Lead(network, addr string) {
	p.mu.Lock()
	p.network, p.addr = network, addr
	p.mu.Unlock()
	p.disconnect()
}

// Cut closes the connection of the next passage in that direction, after so many of its
// bytes. The server has then received and carried out what a cut reply answers.
func (p *Proxy) Cut(d Direction, keep int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = append(p.armed, cut{d, keep})
}

// Split lets nothing pass until Heal. What is on its way arrives then. Where the two are
// split already, they stay so.
func (p *Proxy) Split() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.figures.Splits++
		p.open = make(chan struct{})
	default: // what waits for the channel must not be left behind
	}
}

// Heal ends a split.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// HealBroken ends a split that has outlasted the connections: what is on its way is
// lost.
func (p *Proxy) HealBroken() {
	p.disconnect()
	p.Heal()
}

func (p *Proxy) disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.close()
		delete(p.pairs, c)
	}
}

// Figures returns what has happened.
func (p *Proxy) Figures() Figures {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.figures
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.mu.Lock()
		network, addr := p.network, p.addr
		p.mu.Unlock()
		server, err := net.Dial(network, addr)
		if err != nil {
			client.Close() // the server is down
			continue
		}
		c := &pair{client, server}
		p.mu.Lock()
		p.figures.Connections++
		p.pairs[c] = true
		closed := p.closed
		p.mu.Unlock()
		if closed {
			c.close()
		}
		p.group.Go(func() { p.pass(c, client, server, Request) })
		p.group.Go(func() { p.pass(c, server, client, Reply) })
	}
}

// pass forwards until the connection is closed or cut.
func (p *Proxy) pass(c *pair, from, to net.Conn, d Direction) {
	defer func() {
		c.close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.pairs, c)
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		keep, wait := p.decide(d, n)
		time.Sleep(wait)
		<-p.whole()
		if _, err := to.Write(buffer[:keep]); err != nil || keep < n {
			return
		}
	}
}

// whole returns what is closed while the two are not split.
func (p *Proxy) whole() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// decide returns how many bytes of the passage pass, and after which delay.
func (p *Proxy) decide(d Direction, n int) (keep int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.figures.Passages++
	if len(p.armed) > 0 && p.armed[0].direction == d {
		keep, p.armed = min(p.armed[0].keep, n-1), p.armed[1:]
		p.count(d, keep)
		return keep, 0
	}
	chance, t := p.random.IntN(1000), p.trouble
	if d == Request {
		t.CutReply, t.LoseReply = 0, 0
	} else {
		t.CutRequest, wait = 0, p.lag
	}
	switch {
	case chance < t.CutRequest+t.CutReply:
		p.count(d, n/2)
		return n / 2, 0
	case chance < t.CutRequest+t.CutReply+t.LoseReply:
		p.count(d, 0)
		return 0, 0
	case chance < t.CutRequest+t.CutReply+t.LoseReply+t.Delay:
		p.figures.Delays++
		return n, wait + time.Duration(p.random.Int64N(int64(MaxDelay)))
	}
	return n, wait
}

func (p *Proxy) count(d Direction, keep int) {
	switch {
	case d == Request:
		p.figures.CutRequests++
	case keep == 0:
		p.figures.LostReplies++
	default:
		p.figures.CutReplies++
	}
}
