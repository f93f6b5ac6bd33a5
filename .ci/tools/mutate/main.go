// Command mutate looks for code that no test holds. It changes one thing in a
// package, for example a < to a <=, runs the tests, and expects one of them to
// fail. Changes that no test notices are printed, each in a line:
//
//	survived  totp/params.go:41  Params.check  "if n < 6 {"  "if n <= 6 {"
//
// Run it by .ci/mutate, from anywhere in the repository:
//
//	.ci/mutate                              30 changes, in all packages of the table below
//	.ci/mutate -n 300 -seed 7               another sample, and a larger one
//	.ci/mutate -n 300 -seed 7 -skip 120     the rest of it, after a run that was ended
//	.ci/mutate -pkgs totp,recovery -n 1000  all changes to two packages, if there are fewer
//
// The same seed draws the same changes from the same code. Nothing is written
// into the work tree: the go command reads the changed file in place of the real
// one (go help build, -overlay). What it builds goes into a cache that is thrown
// away.
//
// A change that leaves the behaviour as it was is called equivalent; no test can
// notice it. Known ones stand in equivalent.tsv, each with the reason.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// others names, for each package that can be changed, the packages whose tests
// hold it besides its own.
var others = map[string][]string{
	"totp":               {"./internal/account", "./enrollment", "./internal/proving/formats", "./internal/proving/fips"},
	"recovery":           {"./internal/account", "./enrollment", "./internal/proving/formats", "./internal/proving/fips"},
	"internal/account":   {"./enrollment", "./internal/proving/..."},
	"enrollment":         {"./internal/proving/..."},
	"enrollment/keyring": {"./enrollment", "./internal/proving/formats"},
	"enrollment/web":     {},
	"store/sqlstore":     {"./internal/integration"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutate", flag.ExitOnError)
	pkgs := flags.String("pkgs", "", "packages to change, with commas between them; all of the table if empty")
	n := flags.Int("n", 30, "how many changes to try")
	seed := flags.Uint64("seed", 1, "which changes to draw")
	skip := flags.Int("skip", 0, "how many of them to leave out, because an earlier run has tried them")
	jobs := flags.Int("j", max(1, runtime.NumCPU()/2), "how many changes to try at once")
	long := flags.Bool("long", false, "try survivors again with the tests that -short leaves out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	cache, err := os.MkdirTemp("", "mutate-cache")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	l := &lab{Root: root, Others: others, Jobs: *jobs, Long: *long, Out: os.Stderr, Grace: time.Minute, Cache: cache}
	names := strings.FieldsFunc(*pkgs, func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) == 0 {
		for name := range others {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	known, err := readEquivalents("mutate/equivalent.tsv")
	if err != nil {
		return err
	}
	results, err := l.run(ctx, names, *n, *skip, *seed)
	if len(results) > 0 {
		report(out, results, known) // also of a run that was ended
	}
	return err
}

// run tries n changes but the first few, drawn by the seed from all that there are
// to the named packages, and returns what came of them in the order of the code.
func (l *lab) run(ctx context.Context, names []string, n, skip int, seed uint64) ([]result, error) {
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	l.scratch, l.took = scratch, map[string]time.Duration{}

	var all []*mutant
	for _, name := range names {
		tests, ok := l.Others[name]
		if !ok {
			return nil, fmt.Errorf("package %q is not in the table of main.go", name)
		}
		p, err := l.load(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := l.baseline(ctx, p, tests); err != nil {
			return nil, err
		}
		all = append(all, p.mutants()...)
	}
	fmt.Fprintf(l.Out, "%d changes to draw from\n", len(all))
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	drawn := slices.DeleteFunc(all, func(m *mutant) bool {
		if n <= 0 || !m.compiles() {
			return true
		}
		n--
		return false
	})
	results, err := l.tryAll(ctx, drawn[min(skip, len(drawn)):])
	slices.SortFunc(results, func(a, b result) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.start, b.start), strings.Compare(a.text, b.text))
	})
	return results, err
}

func (l *lab) tryAll(ctx context.Context, drawn []*mutant) ([]result, error) {
	var (
		mu      sync.Mutex
		wg      sync.WaitGroup
		results []result
		errs    []error
		queue   = make(chan *mutant)
	)
	for range l.Jobs {
		wg.Go(func() {
			for m := range queue {
				r, err := l.try(ctx, m)
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
				} else {
					results = append(results, r)
					fmt.Fprintf(l.Out, "%d/%d  %s\n", len(results), len(drawn), r)
				}
				mu.Unlock()
			}
		})
	}
feeding:
	for _, m := range drawn {
		select {
		case queue <- m:
		case <-ctx.Done():
			break feeding
		}
	}
	close(queue)
	wg.Wait()
	return results, errors.Join(errs...)
}
