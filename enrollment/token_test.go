package enrollment_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// openings counts what is opened.
type openings struct {
	enrollment.Sealer
	n int
}

func (o *openings) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	o.n++
	return o.Sealer.Open(ctx, scope, binding, sealed)
}

// A token has one text, and a text that is too long for one is not decoded, let
// alone opened.
func TestTextOfTokens(t *testing.T) {
	t.Parallel()
	ring, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	sealer := &openings{Sealer: ring}
	clock := enrollmenttest.NewClock(time.Date(2026, 3, 1, 12, 0, 10, 0, time.UTC))
	g, err := enrollment.New(memory.New(), sealer, enrollment.Config{Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	begin := func(user string) (enrollment.Setup, *enrollmenttest.App) {
		s, err := g.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Fatal(err)
		}
		app, err := enrollmenttest.Scan(s.URI())
		if err != nil {
			t.Fatal(err)
		}
		return s, app
	}
	setup, app := begin("alice")
	done, err := g.Confirm(t.Context(), "alice", setup.Token, app.Code(clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	d, err := g.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	paid, err := g.Verify(t.Context(), "alice", "pay", app.Code(clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	setup, _ = begin("bob")

	tokens := map[string]struct {
		text string
		read func(text string) error
	}{
		"challenge": {d.Challenge.Reveal(), func(text string) error {
			_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(text), done.Codes.Reveal()[0]+"x")
			return err
		}},
		"receipt": {paid.Receipt.Reveal(), func(text string) error {
			_, err := g.RecentlyVerified(t.Context(), "alice", "pay", enrollment.ReceiptOf(text), time.Minute)
			return err
		}},
		"setup": {setup.Token.Reveal(), func(text string) error {
			_, err := g.Resume(t.Context(), "bob", enrollment.SetupTokenOf(text))
			return err
		}},
	}
	want := map[string]enrollment.Reason{
		"challenge": enrollment.ReasonChallengeInvalid, "receipt": enrollment.ReasonProofInvalid, "setup": enrollment.ReasonSetupInvalid,
	}
	for name, token := range tokens {
		if got := proving.ReasonOf(token.read(token.text)); got == want[name] {
			t.Fatalf("%s: as it is, it is invalid", name)
		}
		middle := len(token.text) / 2
		for _, space := range []string{"\n", "\r", "\r\n", " ", "\t", "="} {
			for _, at := range []int{0, 1, middle, len(token.text)} {
				if got := proving.ReasonOf(token.read(token.text[:at] + space + token.text[at:])); got != want[name] {
					t.Errorf("%s with %q at %d: %q", name, space, at, got)
				}
			}
		}
		for length, opened := range map[int]int{2048: 1, 2050: 0, 1 << 20: 0} {
			before := sealer.n
			if got := proving.ReasonOf(token.read(strings.Repeat("A", length))); got != want[name] || sealer.n != before+opened {
				t.Errorf("%s of %d bytes: %q, opened %d times", name, length, got, sealer.n-before)
			}
		}
	}
}
