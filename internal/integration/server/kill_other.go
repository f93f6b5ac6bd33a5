//go:build !unix

package server

// Kill returns an error: no server runs here.
func (p *Process) Kill() error { return ErrMissing }

func (p *Process) killAll() error { return ErrMissing }
