package bench_test

import (
	"flag"
	"os"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

var rows = flag.Int("rows", 20_000, "rows of the large table in BenchmarkScale")

func TestMain(m *testing.M) {
	bench.CrowdChild()
	os.Exit(m.Run())
}

// run is the benchmark of one side.
func run(b *testing.B, s *bench.Side) {
	b.Helper()
	b.Run(s.Name, func(b *testing.B) {
		b.ReportAllocs()
		ready, err := s.Ready(1 << 30)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if ready == 0 {
				b.StopTimer()
				if ready, err = s.Ready(1 << 30); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			if err := s.Step(); err != nil {
				b.Fatal(err)
			}
			ready--
		}
	})
}

// must returns v, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func BenchmarkTOTP(b *testing.B) {
	t := must(bench.NewTOTP())(b)
	for _, s := range []*bench.Side{t.Check(), t.Pquerna(), t.BareHMAC()} {
		run(b, s)
	}
}

func BenchmarkTOTPOutcomes(b *testing.B) {
	t := must(bench.NewTOTP())(b)
	for _, s := range must(t.Outcomes())(b) {
		run(b, s)
	}
}

func BenchmarkRecovery(b *testing.B) {
	r := must(bench.NewRecovery(b.Context(), bcrypt.DefaultCost))(b)
	for _, s := range []*bench.Side{r.Derive(), r.Bcrypt()} {
		run(b, s)
	}
}

// BenchmarkCrowd reports checks per second and memory of one run in a process
// of its own.
func BenchmarkCrowd(b *testing.B) {
	crowd := must(bench.NewCrowd(b.Context(), bench.CrowdSize))(b)
	for _, c := range []struct {
		name    string
		callers int
	}{{"2 callers", 2}, {"64 callers", bench.CrowdSize}} {
		b.Run(c.name, func(b *testing.B) {
			var rate float64
			var peak int64
			n := 0
			for b.Loop() {
				r := must(crowd.Run(b.Context(), c.callers, 1))(b)
				rate, peak, n = rate+r.Rate(), max(peak, r.Peak), n+1
			}
			b.ReportMetric(rate/float64(n), "checks/s")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		})
	}
}

func BenchmarkAnswer(b *testing.B) {
	ctx := b.Context()
	p := must(bench.NewPopulation(ctx, 256))(b)
	t := must(bench.NewTOTP())(b)
	for _, s := range []*bench.Side{
		p.AnswerWrong(ctx, "wrong code"),
		p.AnswerRight(ctx, "right code"),
		p.AnswerFifth(ctx, "wrong code that locks"),
		p.AnswerLocked(ctx, "while locked"),
		p.SignIn(ctx, "SignIn"),
		must(must(bench.NewPopulation(ctx, 256))(b).AnswerFloor(ctx))(b),
		t.Pquerna(),
	} {
		run(b, s)
	}
}

func BenchmarkAnswerParts(b *testing.B) {
	ctx := b.Context()
	parts := must(bench.NewParts(ctx, must(bench.NewPopulation(ctx, 1))(b)))(b)
	for _, s := range []*bench.Side{parts.Decode(), must(parts.Encode())(b), parts.Open(ctx), parts.Seal(ctx), parts.Derive(ctx)} {
		run(b, s)
	}
}

func BenchmarkPostgres(b *testing.B) {
	ctx := b.Context()
	d := openPostgres(b)
	p := must(d.NewPopulation(ctx, "bench_answer", 64))(b)
	run(b, p.AnswerWrong(ctx, "wrong code"))
	run(b, must(d.Bare(ctx, "bench_bare", p.Users))(b).Answer(ctx))
}

func BenchmarkSQLite(b *testing.B) {
	ctx := b.Context()
	d := openSQLite(b)
	p := must(d.NewPopulation(ctx, "bench_answer", 64))(b)
	run(b, p.AnswerWrong(ctx, "wrong code"))
	run(b, must(d.Bare(ctx, "bench_bare", p.Users))(b).Answer(ctx))
}

func BenchmarkScale(b *testing.B) {
	ctx := b.Context()
	d := openPostgres(b)
	for table, size := range map[string]int{"thousand": 1_000, "many": *rows} {
		c := must(d.NewCrew(ctx, table, bench.CrewOptions{Size: size}))(b)
		run(b, must(c.Users(ctx, 20_000))(b).AnswerWrong(ctx, table))
	}
}

func BenchmarkQR(b *testing.B) {
	p := must(bench.NewPicture())(b)
	for _, s := range []*bench.Side{p.Ours(), p.Pquerna()} {
		run(b, s)
	}
}
