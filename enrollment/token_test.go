package enrollment_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
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

// A session of a host keeps one of each.
type session struct {
	Challenge enrollment.Challenge   `json:"challenge"`
	Receipt   enrollment.Receipt     `json:"receipt,omitzero"`
	Setup     enrollment.SetupToken  `xml:"setup,attr"`
	Device    enrollment.DeviceToken `json:",omitzero"`
	Ticket    *enrollment.Ticket
	Enroll    enrollment.EnrollToken `json:",omitzero"`
}

const tokenLikeText = "AbC-123_x"

func newSession() session {
	ticket := enrollment.TicketOf(tokenLikeText + "5")
	return session{
		Challenge: enrollment.ChallengeOf(tokenLikeText + "1"),
		Receipt:   enrollment.ReceiptOf(tokenLikeText + "2"),
		Setup:     enrollment.SetupTokenOf(tokenLikeText + "3"),
		Device:    enrollment.DeviceTokenOf(tokenLikeText + "4"),
		Ticket:    &ticket,
		Enroll:    enrollment.EnrollTokenOf(tokenLikeText + "6"),
	}
}

// Tokens are encoded as their text, and come back.
func TestTokensTravel(t *testing.T) {
	t.Parallel()
	from := newSession()
	text, err := json.Marshal(from)
	if want := `{"challenge":"AbC-123_x1","receipt":"AbC-123_x2","Setup":"AbC-123_x3","Device":"AbC-123_x4","Ticket":"AbC-123_x5","Enroll":"AbC-123_x6"}`; err != nil || string(text) != want {
		t.Errorf("the JSON is %s, %v, want %s", text, err, want)
	}
	for name, travel := range map[string]func(to *session) error{
		"JSON": func(to *session) error { return json.Unmarshal(text, to) },
		"XML": func(to *session) error {
			b, err := xml.Marshal(from)
			if err != nil {
				return err
			}
			return xml.Unmarshal(b, to)
		},
		"gob": func(to *session) error {
			var b bytes.Buffer
			if err := gob.NewEncoder(&b).Encode(from); err != nil {
				return err
			}
			return gob.NewDecoder(&b).Decode(to)
		},
	} {
		var to session
		if err := travel(&to); err != nil || !reflect.DeepEqual(to, from) || to.Receipt.Reveal() != tokenLikeText+"2" {
			t.Errorf("through %s comes another session, %v", name, err)
		}
	}
	if text, err := json.Marshal(session{}); err != nil || string(text) != `{"challenge":"","Setup":"","Ticket":null}` {
		t.Errorf("the zero session is %s, %v", text, err)
	}
}

// None is taken for another one, or for a string.
func TestTokensAreNotSwapped(t *testing.T) {
	t.Parallel()
	all := []reflect.Type{
		reflect.TypeFor[string](), reflect.TypeFor[enrollment.Challenge](), reflect.TypeFor[enrollment.Receipt](),
		reflect.TypeFor[enrollment.SetupToken](), reflect.TypeFor[enrollment.DeviceToken](), reflect.TypeFor[enrollment.Ticket](),
		reflect.TypeFor[enrollment.RenewalToken](), reflect.TypeFor[enrollment.EnrollToken](),
	}
	for _, x := range all {
		for _, y := range all {
			if x.AssignableTo(y) != (x == y) {
				t.Errorf("%v goes for %v", x, y)
			}
		}
	}
}

// What tokens are in is logged without them, and with the rest.
func TestLoggedWithoutTokens(t *testing.T) {
	t.Parallel()
	s := newSession()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	code, err := recovery.ParseCode("AAAA-BBBB-CCCC-DDDD")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := recovery.Generate(strings.NewReader(strings.Repeat("0123456789abcdef", 100)), 8, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	success := enrollment.Success{UserID: "shown", Receipt: s.Receipt, NewCode: code, CodesLeft: 7}
	for _, c := range []struct {
		value any
		want  string // of it in the log
	}{
		{enrollment.Decision{Next: enrollment.AskCode, Challenge: s.Challenge}, `{"next":"ask_code"}`},
		{enrollment.Decision{Next: enrollment.MustEnroll, EnrollToken: s.Enroll}, `{"next":"must_enroll"}`},
		{success, `"user_id":"shown"`},
		{enrollment.Confirmed{Success: success, Codes: codes, Event: enrollment.EventEnabled}, `"event":"enabled"`},
		{enrollment.RenewedCodes{Codes: codes, Receipt: s.Receipt}, `"[redacted]"`},
		{enrollment.TrustedDevice{Token: s.Device, Device: enrollment.Device{Name: "shown"}}, `"name":"shown"`},
		{enrollment.Binding{Token: s.Setup, Expires: at}, `{"expires":"2026-01-02T03:04:05Z"}`},
		{enrollment.Delivery{Challenge: s.Challenge, Address: enrollment.Address{Hint: "shown"}}, `"hint":"shown"`},
		{enrollment.SignInOptions{Device: s.Device, Channel: "shown"}, `"Channel":"shown"`},
	} {
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("said", "x", c.value)
		text := b.String()
		slog.New(slog.NewTextHandler(&b, nil)).Info("said", "x", c.value)
		for _, secret := range append(codes.Reveal(), tokenLikeText, code.Reveal()) {
			if strings.Contains(b.String(), secret) || strings.Contains(fmt.Sprintf("%+v %s %#v", c.value, c.value, c.value), secret) {
				t.Errorf("%T shows a secret: %s", c.value, b.String())
			}
		}
		if !strings.Contains(text, c.want) || strings.Contains(text, "!ERROR") {
			t.Errorf("%T is logged as %s", c.value, text)
		}
	}
}
