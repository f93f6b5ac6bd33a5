//go:build unix

package server

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// serverUser returns the attributes of a process that a server agrees to run
// in, and what makes a folder its own. Servers refuse to run as root. The process
// group is another one than the test's, so that an interrupt from the
// keyboard reaches the test first and the server is stopped in order.
func serverUser(names []string) (attr *syscall.SysProcAttr, own func(dir string) error, err error) {
	attr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, func(string) error { return nil }, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, func(dir string) error { return os.Chown(dir, int(uid), int(gid)) }, nil
	}
	return nil, nil, fmt.Errorf("%w: it does not run as root, and there is no user %s", ErrMissing, strings.Join(names, " or "))
}
