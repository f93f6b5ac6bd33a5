package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// CrowdSize is how many callers check a recovery code at the same time.
const CrowdSize = 64

// DerivationSize is what one derivation allocates, in bytes.
const DerivationSize = 19 << 20

// crowdEnv tells a process that it is the child of Crowd.Run.
const crowdEnv = "TWOFACTOR_BENCH_CROWD"

// A Crowd is a number of accounts whose recovery codes are guessed at by many
// callers at once. It measures in a process of its own, whose memory holds
// nothing else.
type Crowd struct{ job crowdJob }

// crowdJob is what the child is told.
type crowdJob struct {
	Ring    string // the keys in clear: they were made for this run
	Users   []User
	Wrong   string
	Callers int
	Checks  int // for each account, at most guesses
}

// A CrowdResult is what the child found out.
type CrowdResult struct {
	Slots    int           // derivations that the gate admits at a time
	Checks   int           // recovery codes that were evaluated
	Took     time.Duration // for all of them
	Peak     int64         // bytes of resident memory at the peak, above what there was before
	HeapPeak int64         // bytes of the heap's part of that, from the operating system
}

// Rate returns the checks per second.
func (r CrowdResult) Rate() float64 { return float64(r.Checks) / r.Took.Seconds() }

// NewCrowd enrols n users, each with ten recovery codes of the scheme Argon2id.
func NewCrowd(ctx context.Context, n int) (*Crowd, error) {
	p, err := populate(ctx, n, recovery.Argon2id, false)
	if err != nil {
		return nil, err
	}
	wrong, err := wrongRecoveryCode()
	return &Crowd{crowdJob{Ring: p.ring.Reveal(), Users: p.Users, Wrong: wrong}}, err
}

// Run starts this program once more, has that many callers check wrong codes,
// some for each account, and returns what it took. A caller has accounts of
// its own, so that there must not be more callers than users. The program must
// call [CrowdChild] first of all.
func (c *Crowd) Run(ctx context.Context, callers, checks int) (r CrowdResult, err error) {
	job := c.job
	job.Callers, job.Checks = callers, checks
	in, err := json.Marshal(job)
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), crowdEnv+"=1")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("running the crowd: %w", err)
	}
	return r, json.Unmarshal(out, &r)
}

// CrowdChild does the child's work and ends the program if this is the child.
func CrowdChild() {
	if os.Getenv(crowdEnv) == "" {
		return
	}
	if err := crowdChild(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func crowdChild(in io.Reader, out io.Writer) error {
	var job crowdJob
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return err
	}
	ctx := context.Background()
	ring, err := keyring.Parse(job.Ring)
	if err != nil {
		return err
	}
	p := &Population{ring: ring, Users: job.Users}
	p.set(base)
	if err := p.MoveTo(ctx, memory.New()); err != nil {
		return err
	}
	runtime.GC()
	before, _, err := residentMemory()
	if err != nil {
		return err
	}

	r := CrowdResult{Slots: runtime.GOMAXPROCS(0), Checks: job.Checks * len(p.Users)}
	start := time.Now()
	if err := p.storm(ctx, job); err != nil {
		return err
	}
	r.Took = time.Since(start)
	_, peak, err := residentMemory()
	if err != nil {
		return err
	}
	r.Peak = peak - before
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.HeapPeak = int64(m.HeapSys - m.HeapReleased)
	return json.NewEncoder(out).Encode(r)
}

// storm lets the callers check the wrong code. Each has accounts of its own.
func (p *Population) storm(ctx context.Context, job crowdJob) error {
	errs := make([]error, job.Callers)
	var wg sync.WaitGroup
	for c := range job.Callers {
		wg.Go(func() {
			for range job.Checks {
				for i := c; i < len(p.Users); i += job.Callers {
					_, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, p.Users[i].Challenge, job.Wrong)
					if err := denied(err, enrollment.ReasonWrongCode); err != nil {
						errs[c] = err
						return
					}
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// residentMemory returns how much memory of the process is resident, and how
// much was at the highest, as Linux counts it.
func residentMemory() (now, peak int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch {
		case name != "VmRSS" && name != "VmHWM":
		case err != nil:
			return 0, 0, err
		case name == "VmRSS":
			now = kb << 10
		case name == "VmHWM":
			peak = kb << 10
		}
	}
	if now == 0 || peak == 0 {
		return 0, 0, errors.New("/proc/self/status does not tell of resident memory")
	}
	return now, peak, nil
}
