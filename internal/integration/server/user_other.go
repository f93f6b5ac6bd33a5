//go:build !unix

package server

import (
	"fmt"
	"syscall"
)

// serverUser says that there is no server: it is started by a POSIX shell.
func serverUser([]string) (*syscall.SysProcAttr, func(dir string) error, error) {
	return nil, nil, fmt.Errorf("%w: a server is started on Unix only", ErrMissing)
}
