package proving

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// An ErrorRow is a row of the table of errors in the documentation of a store.
type ErrorRow struct {
	Error   string // what happens
	Returns string // "store.ErrConflict", "its error" for the context's, or "the error"
	Changed string // "no", or something else if it may have
}

// columnsOfErrors are the headings of the table, but for who may try again.
var columnsOfErrors = []string{"error", "a Save returns", "has it changed anything?", "who may try again"}

// ErrorRows reads the table of errors in the documentation of a package, in that file.
func ErrorRows(t *testing.T, file string) (rows []ErrorRow) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var starts []int // of the columns
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if starts == nil {
			starts = headings(line)
			continue
		}
		if !strings.HasPrefix(line, "//\t") {
			break
		}
		cells := make([]string, len(starts))
		for i, start := range starts {
			end := len(line)
			if i+1 < len(starts) {
				end = starts[i+1]
			}
			if start < len(line) {
				cells[i] = strings.TrimSpace(line[start:min(end, len(line))])
			}
		}
		if strings.HasPrefix(line, "//\t ") && len(rows) > 0 { // the row before goes on
			last := &rows[len(rows)-1]
			last.Error = strings.TrimSpace(last.Error + " " + cells[0])
			last.Changed = strings.TrimSpace(last.Changed + " " + cells[2])
			continue
		}
		rows = append(rows, ErrorRow{cells[0], cells[1], cells[2]})
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table of errors", file)
	}
	return rows
}

// headings returns where the columns begin, or nil if the line is not the first of the
// table.
func headings(line string) (starts []int) {
	if !strings.HasPrefix(line, "//\t"+columnsOfErrors[0]+" ") {
		return nil
	}
	for _, heading := range columnsOfErrors {
		at := strings.Index(line, heading)
		if at < 0 {
			return nil
		}
		starts = append(starts, at)
	}
	return starts
}

// A Trouble is an error that a store meets in the middle of a Save of alice's record.
type Trouble struct {
	// Store has alice's record, and no trouble.
	Store store.Store

	// Meet saves what it is handed, over the version that is there, and returns what that
	// has returned. When Meet returns, the trouble is over.
	Meet func(r store.Record, prev int64) error
}

// HoldErrors sees that there is a trouble for each row of the table in that file, and that
// the store does what the row says. Nil stands for a row that another test holds.
func HoldErrors(t *testing.T, file string, troubles map[string]func(t *testing.T) Trouble) {
	t.Helper()
	documented := make(map[string]bool)
	for _, row := range ErrorRows(t, file) {
		documented[row.Error] = true
		open, ok := troubles[row.Error]
		if !ok {
			t.Errorf("nothing tries the row %q", row.Error)
			continue
		}
		if open == nil {
			continue
		}
		t.Run(row.Error, func(t *testing.T) {
			t.Parallel()
			row.hold(t, open(t))
		})
	}
	for name := range troubles {
		if !documented[name] {
			t.Errorf("there is no row %q", name)
		}
	}
}

func (row ErrorRow) hold(t *testing.T, x Trouble) {
	t.Helper()
	before, err := x.Store.Load(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	next := before
	next.Version, next.Data = before.Version+100, []byte("next")
	got := x.Meet(next, before.Version)
	t.Logf("Save = %v", got)
	answer := "its error" // of the context
	switch {
	case errors.Is(got, store.ErrConflict):
		answer = "store.ErrConflict"
	case got == nil, errors.Is(got, store.ErrInvalid), errors.Is(got, store.ErrNotFound):
		answer = "an answer that is not allowed"
	case !errors.Is(got, context.Canceled) && !errors.Is(got, context.DeadlineExceeded):
		answer = "the error"
	}
	if answer != row.Returns {
		t.Errorf("Save returned %s: %v; the row says %s", answer, got, row.Returns)
	}
	after, err := x.Store.Load(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if after.Version == next.Version && row.Changed == "no" {
		t.Error("the record has changed, and the row says that it has not")
	}
	if after.Version != next.Version { // then it can be tried again
		if err := x.Store.Save(t.Context(), next, after.Version); err != nil {
			t.Errorf("the Save once more = %v, want nil", err)
		}
	}
}
