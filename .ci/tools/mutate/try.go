package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// A lab is where changes are tried.
type lab struct {
	Root   string
	Others map[string][]string // see others
	Jobs   int
	Long   bool
	Out    io.Writer     // for what is going on
	Grace  time.Duration // how much longer than usual tests may take, besides five times as long
	Cache  string        // where the go command keeps what it builds; its usual place if empty

	scratch string
	took    map[string]time.Duration // by the tests of a package, when nothing is wrong
}

// A test is a package whose tests are run, and how long they take when nothing
// is wrong.
type test struct {
	path string
	took time.Duration
}

type outcome string

const (
	killed   outcome = "killed"
	timedOut outcome = "timed out"
	survived outcome = "survived"
	unbuilt  outcome = "not built"
)

type result struct {
	*mutant
	outcome outcome
	by      string // the package whose tests noticed
}

func (r result) String() string {
	if r.by == "" {
		return fmt.Sprintf("%s  %s", r.outcome, r.mutant)
	}
	return fmt.Sprintf("%s  %s  by %s", r.outcome, r.mutant, r.by)
}

// command returns a go command that works at the root, in the workspace there if
// there is one.
func (l *lab) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = l.Root
	cmd.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=", "PWD="+l.Root)
	if l.Cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+l.Cache)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// baseline runs the tests that hold a package, and takes their time. They have
// to pass.
func (l *lab) baseline(ctx context.Context, p *pkg, patterns []string) error {
	others := []listed{}
	if len(patterns) > 0 {
		var err error
		if others, err = l.goList(ctx, append([]string{"-json=ImportPath,TestGoFiles,XTestGoFiles"}, patterns...)...); err != nil {
			return err
		}
	}
	paths := []string{p.path}
	for _, o := range others {
		if o.ImportPath != p.path && len(o.TestGoFiles)+len(o.XTestGoFiles) > 0 {
			paths = append(paths, o.ImportPath)
		}
	}
	for _, path := range paths {
		if _, ok := l.took[path]; !ok {
			if text, err := l.test(ctx, path, "", time.Hour, "-short", "-run=^$"); err != nil {
				return fmt.Errorf("nothing was changed, and yet: %w\n%s", err, text)
			}
			built := time.Now()
			if text, err := l.test(ctx, path, "", time.Hour, "-short"); err != nil {
				return fmt.Errorf("nothing was changed, and yet: %w\n%s", err, text)
			}
			l.took[path] = time.Since(built)
		}
		p.tests = append(p.tests, test{path, l.took[path]})
	}
	slices.SortStableFunc(p.tests, func(a, b test) int { return int(a.took - b.took) })
	for _, t := range p.tests {
		fmt.Fprintf(l.Out, "%s is held by %s, in %s\n", p.name, t.path, t.took.Round(time.Second/10))
	}
	return nil
}

// test runs the tests of a package up to the first failure.
func (l *lab) test(ctx context.Context, path, overlay string, timeout time.Duration, flags ...string) ([]byte, error) {
	args := append([]string{"test", "-count=1", "-failfast", "-vet=off", "-timeout=" + timeout.String(), "-overlay=" + overlay}, flags...)
	return l.command(ctx, append(args, path)...).CombinedOutput()
}

// try runs the tests with a change until one fails.
func (l *lab) try(ctx context.Context, m *mutant) (result, error) {
	overlay, err := l.overlay(m)
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(filepath.Dir(overlay))
	rounds := []string{"-short"}
	if l.Long {
		rounds = append(rounds, "-short=false")
	}
	for _, round := range rounds {
		for _, t := range m.pkg.tests {
			timeout := l.Grace + 5*t.took
			if round != "-short" {
				timeout = time.Hour
			}
			text, err := l.test(ctx, t.path, overlay, timeout, round)
			if ctx.Err() != nil {
				return result{}, ctx.Err()
			}
			if o, err := outcomeOf(text, err); err != nil {
				return result{}, err
			} else if o != survived {
				return result{m, o, t.path}, nil
			}
		}
	}
	return result{m, survived, ""}, nil
}

// outcomeOf reads what the go command said.
func outcomeOf(text []byte, err error) (outcome, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return survived, nil
	case !errors.As(err, &exit):
		return "", err
	case bytes.Contains(text, []byte("[build failed]")), bytes.Contains(text, []byte("[setup failed]")):
		return unbuilt, nil
	case bytes.Contains(text, []byte("panic: test timed out")):
		return timedOut, nil
	case !bytes.Contains(text, []byte("\nFAIL")) && !bytes.HasPrefix(text, []byte("FAIL")):
		return "", fmt.Errorf("go test: %w\n%s", err, text)
	default:
		return killed, nil
	}
}

// overlay writes the changed file, and a file that says for what it stands.
func (l *lab) overlay(m *mutant) (string, error) {
	dir, err := os.MkdirTemp(l.scratch, "mutant")
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	text, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(m.pkg.dir, filepath.Base(m.file)): changed},
	})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, errors.Join(os.WriteFile(changed, m.apply(), 0o600), os.WriteFile(name, text, 0o600))
}
