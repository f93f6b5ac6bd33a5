package operator

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// progressEvery is how often progress is reported.
const progressEvery = time.Second

// A progress tells a person how far a command for all accounts is, in one line of a
// terminal that is written again and again. Nil tells nothing.
type progress struct {
	out   io.Writer
	total int // accounts, when it began
	began time.Time
	told  time.Time
}

// progress counts the accounts from the cursor on, if somebody looks. Scripts and logs
// get nothing.
func (s *session) progress(ctx context.Context, cursor string) (*progress, error) {
	if !isTerminal(s.Stderr) {
		return nil, nil
	}
	p := &progress{out: s.Stderr}
	for q := (store.Query{Cursor: cursor, Limit: store.MaxPage}); ; {
		page, err := s.Lister.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("counting the accounts: %w", err)
		}
		p.total += len(page.Records)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	p.began = time.Now()
	return p, nil
}

// tell tells how many accounts are done.
func (p *progress) tell(seen, failed int) {
	now := time.Now()
	if p == nil || now.Sub(p.told) < progressEvery {
		return
	}
	p.told = now
	text := fmt.Sprintf("%d of %d (%d %%)", seen, max(p.total, seen), 100*seen/max(p.total, seen, 1))
	if took := now.Sub(p.began); took > 0 && seen > 0 {
		rate := float64(seen) / took.Seconds()
		left := time.Duration(float64(max(p.total-seen, 0)) / rate * float64(time.Second))
		text += fmt.Sprintf(", %.0f a second, %v left", rate, left.Round(time.Second))
	}
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	fmt.Fprintf(p.out, "\r%-76s", text)
}

// end leaves the line to what follows.
func (p *progress) end() {
	if p != nil && !p.told.IsZero() {
		fmt.Fprintln(p.out)
	}
}

// isTerminal reports whether a person looks at the output.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	is, err := f.Stat()
	if err != nil || is.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nothing, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(is, nothing)
}
