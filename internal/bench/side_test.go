package bench_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

// The tests of this module run every side a few times, and look at what it
// answers, never at how long it takes.

// try runs a side once more than it can without being put back.
func try(t *testing.T, s *bench.Side) {
	t.Helper()
	t.Run(s.Name, func(t *testing.T) {
		n := 2
		if s.Prepare != nil && s.Batch < 1000 {
			n = s.Batch + 1
		}
		if _, err := s.Time(n); err != nil {
			t.Error(err)
		}
	})
}

func TestChecks(t *testing.T) {
	t.Parallel()
	c := must(bench.NewTOTP())(t)
	try(t, c.Pquerna())
	try(t, c.BareHMAC())
	for _, s := range must(c.Outcomes())(t) {
		try(t, s)
	}
	for _, s := range must(c.PquernaOutcomes())(t) {
		try(t, s)
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	r := must(bench.NewRecovery(t.Context(), bcrypt.MinCost))(t)
	try(t, r.Derive())
	try(t, r.Bcrypt())
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := must(bench.NewPopulation(ctx, 3))(t)
	for _, s := range []*bench.Side{
		p.AnswerWrong(ctx, "wrong"),
		p.AnswerRight(ctx, "right"),
		p.AnswerFifth(ctx, "fifth"),
	} {
		try(t, s)
	}
	try(t, p.AnswerLocked(ctx, "locked"))
	try(t, must(must(bench.NewPopulation(ctx, 3))(t).AnswerFloor(ctx))(t))

	// The lock tells that the guesses of AnswerWrong are counted.
	if _, err := p.AnswerWrong(ctx, "wrong").Time(4 * 3); err != nil {
		t.Fatal(err)
	}
	u := p.Users[0]
	status, err := p.Guard.Status(ctx, u.ID)
	if err != nil || len(status.Locks) != 0 || len(status.History) < 4 || status.CodesTotal != 10 {
		t.Errorf("after four wrong codes Status = %+v, %v", status, err)
	}
	if _, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Wrong); !errors.Is(err, enrollment.ErrWrongCode) {
		t.Errorf("the fifth wrong code was answered with %v", err)
	}
	if status, err = p.Guard.Status(ctx, u.ID); err != nil || len(status.Locks) != 1 {
		t.Errorf("after five wrong codes Status = %+v, %v", status, err)
	}
}

func TestAnswerParts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	parts := must(bench.NewParts(ctx, must(bench.NewPopulation(ctx, 1))(t)))(t)
	if parts.Size() < 25+40*10 {
		t.Errorf("the account has %d bytes, and does not hold ten recovery codes", parts.Size())
	}
	for _, s := range []*bench.Side{parts.Decode(), must(parts.Encode())(t), parts.Open(ctx), parts.Seal(ctx), parts.Derive(ctx)} {
		try(t, s)
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	const users = 4
	crowd := must(bench.NewCrowd(t.Context(), users))(t)
	r, err := crowd.Run(t.Context(), users, 2)
	if err != nil {
		t.Fatal(err)
	}
	if r.Checks != users*2 || r.Slots < 1 || r.Took <= 0 || r.Peak < bench.DerivationSize {
		t.Errorf("the crowd's result is %+v", r)
	}
}

func TestSQL(t *testing.T) {
	t.Parallel()
	for _, tt := range databases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := tt.open(t)
			ctx := t.Context()
			p := must(d.NewPopulation(ctx, "answer", 3))(t)
			try(t, p.AnswerWrong(ctx, "wrong"))
			try(t, p.AnswerRight(ctx, "right"))
			try(t, must(d.Bare(ctx, "bare", p.Users))(t).Answer(ctx))
		})
	}
}

func TestQR(t *testing.T) {
	t.Parallel()
	p := must(bench.NewPicture())(t)
	try(t, p.Ours())
	try(t, p.Pquerna())
	ours, pquerna, err := p.Sizes()
	if err != nil || ours >= pquerna {
		t.Errorf("the PNG has %d bytes, %v, pquerna's has %d", ours, err, pquerna)
	}
}

func TestInterleave(t *testing.T) {
	t.Parallel()
	var order []string
	side := func(name string) *bench.Side {
		return &bench.Side{Name: name, Op: func(int) error {
			order = append(order, name)
			return nil
		}}
	}
	timings, err := bench.Interleave(bench.Effort{Rounds: 4}, side("a"), side("b"))
	if err != nil || len(timings) != 2 || timings[0].Name != "a" || timings[1].Name != "b" {
		t.Fatalf("Interleave = %v, %v", timings, err)
	}
	// One call each to warm up, and then turns in orders that are drawn.
	if got := strings.Join(order, ""); got != "abbaabbaab" {
		t.Errorf("the order was %s", got)
	}

	broken := &bench.Side{Name: "broken", Op: func(int) error { return errors.New("fault") }}
	if _, err := bench.Interleave(bench.Effort{Rounds: 1, Turn: time.Millisecond}, side("a"), broken); err == nil || !strings.Contains(err.Error(), "broken: fault") {
		t.Errorf("the error of a side came out as %v", err)
	}
}

func TestSideIsPutBack(t *testing.T) {
	t.Parallel()
	var seen []int
	prepared := 0
	s := &bench.Side{
		Name:    "three at a time",
		Batch:   3,
		Prepare: func() error { prepared++; return nil },
		Op:      func(i int) error { seen = append(seen, i); return nil },
	}
	for _, n := range []int{2, 5} {
		if _, err := s.Time(n); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{0, 1, 2, 0, 1, 2, 0}; !slices.Equal(seen, want) || prepared != 3 {
		t.Errorf("ops %v after %d preparations, want %v after 3", seen, prepared, want)
	}
}
