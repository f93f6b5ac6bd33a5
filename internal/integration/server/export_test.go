package server

import (
	"fmt"
	"time"
)

// StopWithin is Stop for a test that has no minute.
func (p *Process) StopWithin(d time.Duration) error { return p.stop(d) }

// Group returns the process group of the shell, which is the shell's id.
func (p *Process) Group() int { return p.group }

// Abandon lets the server alone, as the end of this process does, and waits until nobody
// keeps it any more.
func (p *Process) Abandon(within time.Duration) error {
	p.alive.Close()
	select {
	case <-p.ended:
		return nil
	case <-time.After(within):
		return fmt.Errorf("the shell has not ended in %v", within)
	}
}
