package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

// The ports that FreePorts returns are from firstPort on, below those that systems give to
// clients: no connection takes one before its server does. Each process has a range of them,
// because a server may not listen yet, or not for the moment.
const (
	firstPort = 15_000
	ranges    = 15
	width     = 1_000
)

var ports struct {
	sync.Mutex
	gate  net.Listener // at the first port of the range: it keeps other processes out
	first int
	last  int // how far the one returned last is from the first
}

// FreePorts returns n ports of loopback that nobody uses. It returns each port once, until it
// has returned all of the range.
func FreePorts(n int) (free []int, err error) {
	ports.Lock()
	defer ports.Unlock()
	for i := 0; ports.gate == nil; i++ {
		if i == ranges {
			return nil, fmt.Errorf("no range of ports is free: %w", err)
		}
		ports.first = firstPort + (os.Getpid()+i)%ranges*width
		ports.gate, err = listen(ports.first)
	}
	for range width {
		if len(free) == n {
			return free, nil
		}
		ports.last = ports.last%(width-1) + 1
		port := ports.first + ports.last
		if l, err := listen(port); err == nil {
			l.Close()
			free = append(free, port)
		}
	}
	return nil, errors.New("too few ports are free")
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}
