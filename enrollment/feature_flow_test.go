package enrollment_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// S1: a site-wide preference makes it mandatory for all licensed users; classes
// of users are exempt.
func TestFeatureS1_MandatoryButForExempt(t *testing.T) {
	s := tell(t)
	preference := true
	reviewer := map[string]bool{"rita": true}
	login := func(user string) enrollment.SignInOptions {
		return enrollment.SignInOptions{Require: preference && !reviewer[user]}
	}

	s.signIn("alice", login("alice"), enrollment.MustEnroll)
	s.signIn("rita", login("rita"), enrollment.Proceed)
	preference = false
	s.signIn("alice", login("alice"), enrollment.Proceed)

	preference = true
	s.Enroll("rita") // of her own free will
	s.Enroll("alice")
	s.signIn("rita", login("rita"), enrollment.AskCode)
	s.signIn("alice", login("alice"), enrollment.AskCode)
}

// S2: one field takes an app code or a backup code.
func TestFeatureS2_OneField(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	if ok := s.in(s.asked("alice"), alice.Code()); ok.Factor != enrollment.FactorTOTP {
		t.Errorf("answered with %q", ok.Factor)
	}
	backup := strings.ToLower(strings.ReplaceAll(alice.RecoveryCodes[0], "-", " ")) // as it is typed
	if ok := s.in(s.asked("alice"), backup); ok.Factor != enrollment.FactorRecovery {
		t.Errorf("answered with %q", ok.Factor)
	}
}

// S3: codes can be printed or saved as a text file.
func TestFeatureS3_PrintedOrSaved(t *testing.T) {
	s := tell(t)
	setup, app := s.begin("alice", enrollment.BeginOptions{})
	done := s.confirm("alice", setup, app)
	about := recovery.Sheet{Issuer: "Acme <Corp>", Account: "alice@example.com", Created: s.Clock.Now()}

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
			s.in(s.asked("alice"), done.Codes.Reveal()[0])
		}
	}
	if left := s.status("alice").CodesLeft; left != 9 {
		t.Errorf("%d codes left", left)
	}
}

// S4: the same second step serves web, desktop and mobile clients: nothing
// depends on cookies.
func TestFeatureS4_AnyClient(t *testing.T) {
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	s := tell(t)
	node := func() *enrollment.Guard { // of several behind one address
		g, err := enrollment.New(s.Store, keys, enrollment.Config{
			Issuer: "Acme", Now: s.Clock.Now, RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(),
		})
		s.must(err)
		return g
	}
	s.Guard = node()
	alice := s.Enroll("alice")

	for _, client := range []string{"web", "desktop", "mobile"} {
		// All that a client keeps between the two steps is a string, which one
		// node made and another takes back.
		reply, err := json.Marshal(map[string]string{"challenge": s.asked("alice")})
		s.must(err)
		var body struct{ Challenge string }
		s.must(json.Unmarshal(reply, &body))
		if strings.Trim(body.Challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(body.Challenge) > 2048 {
			t.Errorf("%s: a challenge that needs quoting: %q", client, body.Challenge)
		}
		ok, err := node().Answer(t.Context(), enrollment.PurposeSignIn, body.Challenge, alice.Code())
		if err != nil || ok.UserID != "alice" {
			t.Errorf("%s: %+v, %v", client, ok, err)
		}
		s.nextCode()
	}

	files, err := os.ReadDir(".")
	s.must(err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		s.must(err)
		for _, i := range parsed.Imports {
			if strings.HasPrefix(i.Path.Value, `"net`) {
				t.Errorf("%s imports %s", f.Name(), i.Path.Value)
			}
		}
	}
}
