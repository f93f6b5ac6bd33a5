package cases_test

import (
	"fmt"
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
