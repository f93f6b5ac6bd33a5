package enrollment_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestCase55_UnexportedFields: whatever a host keeps of ours in whatever field
// and prints with whatever verb, no secret shows.
func TestCase55_UnexportedFields(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	setup, app := begin(t, kit, "alice", enrollment.BeginOptions{})
	done, err := kit.Guard.Confirm(t.Context(), "alice", setup.Token, app.Code(kit.Clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	proof := enrollment.ByCode("CANARY CODE")
	key, _, err := totp.ParseURI(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	raw := key.Secret().Reveal()
	canaries := []string{
		setup.URI(), setup.Secret(), key.Secret().Base32(), string(raw), fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw),
		strings.Trim(fmt.Sprint(raw), "[]"), "CANARY", fmt.Sprintf("%x", "CANARY"), "67 65 78 65 82 89",
	}
	for _, c := range done.Codes.Reveal() {
		canaries = append(canaries, c, strings.ReplaceAll(c, "-", ""), fmt.Sprintf("%x", strings.ReplaceAll(c, "-", "")))
	}
	type host struct {
		setup enrollment.Setup
		proof enrollment.Proof
		done  enrollment.Confirmed
		p     *enrollment.Setup
		guard *enrollment.Guard
	}
	type options struct{ o enrollment.BeginOptions }
	h := host{setup, proof, done, &setup, kit.Guard}
	for _, x := range []any{
		setup, &setup, proof, &proof, done, &done, h, &h, []host{h}, map[string]host{"x": h}, options{enrollment.BeginOptions{Proof: proof}},
		enrollment.RenewedCodes{Codes: done.Codes}, kit.Guard,
	} {
		texts := make(map[string]string)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%T", "%p", "%t", "%b", "%e", "%U"} {
			texts[verb] = fmt.Sprintf(verb, x)
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
		texts["slog"] = b.String()
		if j, err := json.Marshal(x); err == nil {
			texts["json"] = string(j)
		}
		for how, text := range texts {
			for i, c := range canaries {
				if strings.Contains(text, c) {
					t.Errorf("%s of %T shows canary %d", how, x, i)
				}
			}
		}
	}
	for _, x := range []any{setup, done, enrollment.RenewedCodes{Codes: done.Codes}} {
		if j, err := json.Marshal(x); err == nil {
			t.Errorf("%T marshals silently: %s", x, j)
		}
	}
	for _, x := range []interface {
		fmt.Stringer
		fmt.GoStringer
		slog.LogValuer
	}{setup, proof} {
		if !strings.Contains(x.String(), "redacted") || x.GoString() != x.String() || x.LogValue().String() != x.String() {
			t.Errorf("%T shows as %q", x, x.String())
		}
	}
}

// TestCase56_ErrorsQuote: errors quoted the URI or the code.
func TestCase56_ErrorsQuote(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	alice := kit.Enroll("alice")
	ctx := t.Context()
	const canary = "CANARY"
	login, err := kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, begin1 := kit.Guard.Begin(ctx, "bob", enrollment.BeginOptions{Account: canary + ":"})
	_, begin2 := kit.Guard.Begin(ctx, "bob", enrollment.BeginOptions{Account: "b", Image: "http://" + canary})
	_, begin3 := kit.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Replace: canary})
	_, answer1 := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, canary, "123456")
	_, answer2 := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, canary)
	_, answer3 := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, alice.WrongCode())
	_, resume := kit.Guard.Resume(ctx, "alice", canary)
	_, verify := kit.Guard.Verify(ctx, "alice", canary+"\n", alice.Code())
	_, user := kit.Guard.Status(ctx, canary+"\x00")
	for i, err := range []error{
		begin1, begin2, begin3, answer1, answer2, answer3, resume, verify, user,
		kit.Guard.Disable(ctx, "alice", enrollment.ByReceipt(canary)), kit.Guard.Disable(ctx, "alice", enrollment.ByCode(canary)),
	} {
		if err == nil {
			t.Errorf("call %d is not refused", i)
		} else if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) || strings.Contains(text, alice.WrongCode()) {
			t.Errorf("call %d quotes its input: %s", i, text)
		}
	}
}
