// Package demo is what a demonstration needs beside an application: a clock that can be
// moved on, a phone with an authenticator app, stories, and the source of what answers a
// page.
package demo

import (
	"sync/atomic"
	"time"
)

// A Clock can be moved on. It starts with the time of the machine, and is safe for
// concurrent use.
type Clock struct{ ahead atomic.Int64 }

// Now returns the time.
func (c *Clock) Now() time.Time { return time.Now().Add(c.Ahead()) }

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// Ahead returns how far the clock is ahead of that of the machine.
func (c *Clock) Ahead() time.Duration { return time.Duration(c.ahead.Load()) }
