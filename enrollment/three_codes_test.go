package enrollment_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A hardware token that moves to another system and back is one still. Its clock has to
// be found out there.
func TestHardwareTokenMovesOver(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	token := proving.TheirKey(t, "token", totp.Params{})
	alice := k.EnrollWith("alice", enrollment.BeginOptions{HardwareToken: token})
	k.Pass(time.Minute)
	resync := func(user, code string, off time.Duration) {
		t.Helper()
		id := k.Status(user).Authenticators[0].ID
		k.Must(k.Guard.ThreeCodes().Resynchronize(t.Context(), user, id, proving.Three(token, k.Now().Add(off)), enrollment.ByCode(code)))
		k.Pass(time.Hour)
	}
	resync("alice", alice.Codes[0], 5*time.Minute)
	export, err := k.Guard.Admin("root", "moving").Export(t.Context(), "alice")
	k.Must(err)
	var im enrollment.Import
	for _, x := range export.Reveal() {
		im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{
			Key: x.Key, Name: x.Name, Added: x.Added, HardwareToken: x.HardwareToken,
		})
	}
	im.RecoveryHashes = proving.Hashes(proving.Summed("old-code-1")...)
	k.Must(k.Guard.Admin("root", "moving").Import(t.Context(), "bob", im))
	k.Pass(time.Hour)
	if x := k.Status("bob").Authenticators[0]; !x.HardwareToken {
		t.Errorf("%+v", x)
	}
	k.Out(k.Challenge("bob"), proving.Shown(token, k.Now().Add(5*time.Minute)), enrollment.ReasonWrongCode)
	resync("bob", "old-code-1", 5*time.Minute)
	k.In(k.Challenge("bob"), proving.Shown(token, k.Now().Add(5*time.Minute)))
}

// What has the form of no codes, or of no authenticator, is denied by that alone.
func TestResynchronizeForm(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	token := proving.TheirKey(t, "token", totp.Params{})
	alice := k.EnrollWith("alice", enrollment.BeginOptions{HardwareToken: token})
	k.Pass(time.Hour)
	id := k.Status("alice").Authenticators[0].ID
	codes, proof := proving.Three(token, k.Now()), enrollment.ByCode(alice.Codes[0])
	before := k.Record("alice").Version
	for _, c := range []struct {
		id    string
		codes []string
		proof enrollment.Proof
		want  enrollment.Reason
	}{
		{"alice's token", codes, proof, enrollment.ReasonUnknownAuthenticator},
		{"", codes, proof, enrollment.ReasonUnknownAuthenticator},
		{id, nil, proof, enrollment.ReasonMalformedCode},
		{id, codes[:2], proof, enrollment.ReasonMalformedCode},
		{id, append(codes[:3:3], codes[2]), proof, enrollment.ReasonMalformedCode},
		{id, []string{codes[0], codes[1], "hello"}, proof, enrollment.ReasonMalformedCode},
		{id, codes, enrollment.ByCode("hello"), enrollment.ReasonMalformedCode},
		{id, codes, enrollment.ByReceipt(enrollment.ReceiptOf("hello")), enrollment.ReasonProofInvalid},
	} {
		err := k.Guard.ThreeCodes().Resynchronize(t.Context(), "alice", c.id, c.codes, c.proof)
		proving.Want(t, err, c.want)
	}
	if k.Record("alice").Version != before {
		t.Error("what was denied is written")
	}
	typed := []string{" " + codes[0], codes[1][:3] + " " + codes[1][3:], codes[2] + "\n"}
	k.Must(k.Guard.ThreeCodes().Resynchronize(t.Context(), "alice", id, typed, proof))
}
