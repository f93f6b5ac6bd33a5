package formats_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/formats"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

var update = flag.Bool("update", false, "write the golden file of a NEW format; those of earlier ones must never change")

// writeGolden writes a golden file.
func writeGolden(t *testing.T, name string, golden any) {
	t.Helper()
	text := proving.Value[[]byte](t)(json.MarshalIndent(golden, "", "  "))
	if err := os.WriteFile(formats.Path(t, name), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A record that version 1 stored, and a challenge it handed out, are good for
// whatever comes later: the sealing, its scope and binding, the encoding, the
// derivation of recovery codes. This file never changes.
func TestGoldenRecord(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the account is for SHA-1 and Argon2id, FIPS 140-3 is enforced: see TestFIPSAccountFromBefore of package fips")
	}
	if *update {
		makeGolden(t)
	}
	g, s, keys := formats.OpenGolden(t)
	now := g.Now
	guard, err := enrollment.New(s, keys, enrollment.Config{
		Issuer: "Acme", Namespace: g.Namespace, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	status, err := guard.Status(t.Context(), g.Record.UserID)
	if err != nil || !status.Enabled() || len(status.Authenticators) != 1 || status.Authenticators[0].Name != "phone" ||
		status.CodesLeft != 3 || status.CodesTotal != 4 || len(status.History) != 2 {
		t.Errorf("status %+v, %v", status, err)
	}
	dir, err := enrollment.NewDirectory(guard, s)
	if err != nil {
		t.Fatal(err)
	}
	if swept, err := dir.Sweep(t.Context()); err != nil || swept.Walked != 1 || swept.Repaired+swept.Failed.Total != 0 {
		t.Errorf("Sweep = %+v, %v", swept, err)
	}
	key, _, err := totp.ParseURI(g.URI)
	if err != nil {
		t.Fatal(err)
	}
	code, err := key.Code(now)
	if err != nil {
		t.Fatal(err)
	}
	ok, err := guard.Answer(t.Context(), enrollment.PurposeSignIn, g.Challenge, code)
	if err != nil || ok.UserID != g.Record.UserID {
		t.Errorf("Answer = %+v, %v", ok, err)
	}
	_, err = guard.Verify(t.Context(), g.Record.UserID, "x", g.Recovery[0])
	proving.Want(t, err, enrollment.ReasonReplayed)
	if _, err := guard.Verify(t.Context(), g.Record.UserID, "x", g.Recovery[1]); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
}

func makeGolden(t *testing.T) {
	keys, err := keyring.Generate("golden")
	if err != nil {
		t.Fatal(err)
	}
	g := formats.Golden{Keys: keys.Reveal(), Namespace: "golden", Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	s := memory.New()
	guard, err := enrollment.New(s, keys, enrollment.Config{
		Issuer: "Acme", Namespace: g.Namespace, Now: func() time.Time { return g.Now }, RecoveryCodes: recovery.MinCount,
	})
	if err != nil {
		t.Fatal(err)
	}
	const user = "álice@example.com"
	setup, err := guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Name: "phone", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	g.URI = setup.URI()
	key, _, err := totp.ParseURI(g.URI)
	if err != nil {
		t.Fatal(err)
	}
	code, err := key.Code(g.Now)
	if err != nil {
		t.Fatal(err)
	}
	done, err := guard.Confirm(t.Context(), user, setup.Token, code)
	if err != nil {
		t.Fatal(err)
	}
	g.Recovery = done.Codes.Reveal()
	if _, err := guard.Verify(t.Context(), user, "x", g.Recovery[0]); err != nil {
		t.Fatal(err)
	}
	g.Now = g.Now.Add(time.Minute)
	d, err := guard.SignIn(t.Context(), user, enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g.Challenge = d.Challenge
	if g.Record, err = s.Load(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	writeGolden(t, "v1-record.json", g)
}
