package server

import "time"

// StopWithin is Stop for a test that has no minute.
func (p *Process) StopWithin(d time.Duration) error { return p.stop(d) }

// Group returns the process group of the shell, which is the shell's id.
func (p *Process) Group() int { return p.group }
