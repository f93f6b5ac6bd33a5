// Package demo is what a demonstration needs beside an application: a clock that can be
// moved on, a phone with an authenticator app, and the source of what answers a page.
package demo

import (
	"sync"
	"time"
)

// A Clock can be moved on. It starts with the time of the machine, and is safe for
// concurrent use.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Ahead returns how far the clock is ahead of that of the machine.
func (c *Clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}
