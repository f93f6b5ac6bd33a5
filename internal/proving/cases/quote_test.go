package cases_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestCase56_ErrorsQuote: errors quoted the URI or the code.
func TestCase56_ErrorsQuote(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	ctx := t.Context()
	const canary = "CANARY"
	login, err := k.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, begin1 := k.Guard.Begin(ctx, "bob", enrollment.BeginOptions{Account: canary, Image: canary + ":", Proof: enrollment.ByReauth("password")})
	_, begin2 := k.Guard.Begin(ctx, "bob", enrollment.BeginOptions{Account: "b", Image: "http://" + canary, Proof: enrollment.ByReauth("password")})
	_, begin3 := k.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Replace: canary, Proof: enrollment.ByReauth("password")})
	_, answer1 := k.Guard.Answer(ctx, enrollment.PurposeSignIn, enrollment.ChallengeOf(canary), "123456")
	_, answer2 := k.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, canary)
	_, answer3 := k.Guard.Answer(ctx, enrollment.PurposeSignIn, login.Challenge, alice.Wrong())
	_, resume := k.Guard.Resume(ctx, "alice", enrollment.SetupTokenOf(canary))
	_, verify := k.Guard.Verify(ctx, "alice", canary+"\n", alice.Code())
	_, user := k.Guard.Status(ctx, canary+"\x00")
	for i, err := range []error{
		begin1, begin2, begin3, answer1, answer2, answer3, resume, verify, user,
		k.Guard.Disable(ctx, "alice", enrollment.ByReceipt(enrollment.ReceiptOf(canary))), k.Guard.Disable(ctx, "alice", enrollment.ByCode(canary)),
	} {
		if err == nil {
			t.Errorf("call %d is not refused", i)
		} else if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) || strings.Contains(text, alice.Wrong()) {
			t.Errorf("call %d quotes its input: %s", i, text)
		}
	}
}

// The hashes of an Import are plain bytes, and short codes are found from them.
func TestImportHidesHashes(t *testing.T) {
	t.Parallel()
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Name: "phone"}}, RecoveryHashes: [][]byte{[]byte("CANARY")}, Again: true}
	var log bytes.Buffer
	for _, x := range []any{im, &im, []enrollment.Import{im}, map[string]*enrollment.Import{"a": &im}, struct{ X enrollment.Import }{im}, enrollment.SignInOptions{Import: &im}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&log, verb+"\n", x)
		}
		slog.New(slog.NewTextHandler(&log, nil)).Info("imported", "import", x)
	}
	slog.New(slog.NewJSONHandler(&log, nil)).Info("imported", "import", &enrollment.Import{RecoveryHashes: im.RecoveryHashes})
	for _, form := range []string{"CANARY", "67 65 78 65 82 89", "0x43, 0x41", "43414e415259", "Q0FOQVJZ"} {
		if strings.Contains(log.String(), form) {
			t.Errorf("%q is in %s", form, log.String())
		}
	}
	if text := fmt.Sprintf("%+v", im); !strings.Contains(text, "phone") || !strings.Contains(text, "Again:true") {
		t.Errorf("the rest is missing: %s", text)
	}
}
