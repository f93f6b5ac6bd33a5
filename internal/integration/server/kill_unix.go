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
	pid, err := p.serving()
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

// Pause stops the server where it is, until Resume. To others it is silent.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	pid, err := p.serving()
	if err != nil {
		return err
	}
	return syscall.Kill(pid, s)
}

// serving returns the process id of the server.
func (p *Process) serving() (pid int, err error) {
	text, err := os.ReadFile(filepath.Join(p.Dir, "serving"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// killAll kills the server, its children and the shell that keeps it.
func (p *Process) killAll() error { return syscall.Kill(-p.group, syscall.SIGKILL) }
