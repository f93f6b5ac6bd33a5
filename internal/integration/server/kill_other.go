//go:build !unix

package server

// Kill returns an error: no server runs here.
func (p *Process) Kill() error { return ErrMissing }

func (p *Process) killAll() error { return ErrMissing }

// Pause returns an error as well.
func (p *Process) Pause() error { return ErrMissing }

// Resume returns an error as well.
func (p *Process) Resume() error { return ErrMissing }
