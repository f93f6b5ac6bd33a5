//go:build !unix

package testenv

import "syscall"

// serverUser says that there is no server: it is started by a POSIX shell.
func serverUser() (*syscall.SysProcAttr, func(dir string) error, error) {
	return nil, nil, missingError("a PostgreSQL server is started on Unix only")
}
