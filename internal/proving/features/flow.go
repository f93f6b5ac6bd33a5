package features

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// S1: a site-wide preference makes it mandatory for all licensed users; classes
// of users are exempt.
func TestFeatureS1_MandatoryButForExempt(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	preference := true
	reviewer := map[string]bool{"rita": true}
	login := func(user string) enrollment.SignInOptions {
		return enrollment.SignInOptions{Require: preference && !reviewer[user]}
	}

	k.SignIn("alice", login("alice"), enrollment.MustEnroll)
	k.SignIn("rita", login("rita"), enrollment.Proceed)
	preference = false
	k.SignIn("alice", login("alice"), enrollment.Proceed)

	preference = true
	k.Enroll("rita") // of her own free will
	k.Enroll("alice")
	k.SignIn("rita", login("rita"), enrollment.AskCode)
	k.SignIn("alice", login("alice"), enrollment.AskCode)
}

// S2: one field takes an app code or a backup code.
func TestFeatureS2_OneField(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	if ok := k.In(k.Challenge("alice"), alice.Code()); ok.Factor != enrollment.FactorTOTP {
		t.Errorf("answered with %q", ok.Factor)
	}
	backup := strings.ToLower(strings.ReplaceAll(alice.Codes[0], "-", " ")) // as it is typed
	if ok := k.In(k.Challenge("alice"), backup); ok.Factor != enrollment.FactorRecovery {
		t.Errorf("answered with %q", ok.Factor)
	}
}

// S3: codes can be printed or saved as a text file.
func TestFeatureS3_PrintedOrSaved(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	done := k.Confirm("alice", setup, app)
	about := recovery.Sheet{Issuer: "Acme <Corp>", Account: "alice@example.com", Created: k.Now()}

	text, page := done.Codes.Sheet(about), done.Codes.SheetHTML(about)
	for _, c := range done.Codes.Reveal() {
		if !strings.Contains(text, c) || !strings.Contains(page, c) {
			t.Fatal("a code is missing")
		}
	}
	if strings.Contains(page, "<Corp>") {
		t.Error("what a tenant calls itself is markup on the page to be printed")
	}
	// What was saved is what works.
	for line := range strings.Lines(text) {
		if strings.Contains(line, done.Codes.Reveal()[0]) {
			k.In(k.Challenge("alice"), done.Codes.Reveal()[0])
		}
	}
	if left := k.Status("alice").CodesLeft; left != 9 {
		t.Errorf("%d codes left", left)
	}
}

// S4: the same second step serves web, desktop and mobile clients: nothing
// depends on cookies.
func TestFeatureS4_AnyClient(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")

	for _, client := range []string{"web", "desktop", "mobile"} {
		// All that a client keeps between the two steps is a string, which one
		// node made and another takes back.
		reply, err := json.Marshal(map[string]any{"challenge": k.Challenge("alice")})
		k.Must(err)
		var body struct{ Challenge string }
		k.Must(json.Unmarshal(reply, &body))
		if strings.Trim(body.Challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(body.Challenge) > 2048 {
			t.Errorf("%s: a challenge that needs quoting: %q", client, body.Challenge)
		}
		ok, err := k.Node().Answer(t.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(body.Challenge), alice.Code())
		if err != nil || ok.UserID != "alice" {
			t.Errorf("%s: %+v, %v", client, ok, err)
		}
		k.Pass(30 * time.Second)
	}

	files, err := os.ReadDir(proving.Source(t, "enrollment"))
	k.Must(err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), proving.Source(t, "enrollment", f.Name()), nil, parser.ImportsOnly)
		k.Must(err)
		for _, i := range parsed.Imports {
			if strings.HasPrefix(i.Path.Value, `"net`) {
				t.Errorf("%s imports %s", f.Name(), i.Path.Value)
			}
		}
	}
}
