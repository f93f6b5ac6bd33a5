package table_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

func TestRow(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]table.Row{
		"| a | 1 | 2 | 1.20× | at most 1.2× | met |":                       {What: "a", Ours: "1", Peer: "2", Ratio: 1.2, Bound: table.AtMost(1.2)},
		"| a | 1 | 2 | 1.21× | at most 1.2× | MISSED |":                    {What: "a", Ours: "1", Peer: "2", Ratio: 1.21, Bound: table.AtMost(1.2)},
		"| a | 1 | 2 | 4.00× faster | at least 2× | met |":                 {What: "a", Ours: "1", Peer: "2", Ratio: 0.25, Bound: table.AtLeast(2)},
		"| a | 1 | 2 | 1.25× faster | at least 2× | MISSED |":              {What: "a", Ours: "1", Peer: "2", Ratio: 0.8, Bound: table.AtLeast(2)},
		"| a | 1 | 2 | 0.50× |  |  |":                                      {What: "a", Ours: "1", Peer: "2", Ratio: 0.5},
		"| PostgreSQL: not measured, it is not installed |  |  |  |  |  |": {What: "PostgreSQL: not measured, it is not installed"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		1234 * time.Nanosecond:    "1.23 µs",
		123456 * time.Nanosecond:  "123 µs",
		1234 * time.Microsecond:   "1.2 ms",
		123456 * time.Microsecond: "123 ms",
		1234 * time.Millisecond:   "1234 ms",
		12345 * time.Millisecond:  "12.3 s",
		1234 * time.Second:        "1234 s",
	} {
		if got := table.Duration(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table.Head(&b, "5 accounts")
	if !strings.Contains(b.String(), ", 5 accounts\n\n| what |") {
		t.Error(b.String())
	}
}
