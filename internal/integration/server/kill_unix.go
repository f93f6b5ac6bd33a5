//go:build unix

package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Kill kills the server and its children at once, as a power failure does that loses
// nothing of the disk. If its script ends with [Revive], it then comes back. It is an error
// if no server runs.
func (p *Process) Kill() error {
	text, err := os.ReadFile(filepath.Join(p.Dir, "serving"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	// Where there is no /proc, the children notice by themselves.
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	err = syscall.Kill(pid, syscall.SIGKILL)
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended already
		}
	}
	return err
}

// killAll kills the server, its children and the shell that keeps it.
func (p *Process) killAll() error { return syscall.Kill(-p.group, syscall.SIGKILL) }
