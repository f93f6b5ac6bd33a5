package proving_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"golang.org/x/crypto/bcrypt"
)

// What the Guard tells arrives once, where it is asked for.
func TestKitHears(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.WantTold(enrollment.Event{Kind: enrollment.EventEnabled, Factor: enrollment.FactorTOTP, Name: "Authenticator"})
	if seen := k.Observed(); len(seen) != 2 || seen[1].Operation != "confirm" {
		t.Errorf("observed %+v", seen)
	}
	if text := k.Log(); !strings.Contains(text, "confirm") {
		t.Errorf("the log says %q", text)
	}
	if len(k.Told()) != 0 || len(k.Observed()) != 0 || k.Log() != "" || len(k.Events()) != 1 {
		t.Error("it is told again")
	}
	k.FailNotify(errors.New("the queue is full"))
	if _, err := alice.Answer(alice.Codes[0]); err != nil {
		t.Fatal(err)
	}
	k.WantTold()
}

// The codes of a person are right, but for those that are wrong.
func TestPerson(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for _, p := range append(k.EnrollAll("alice", "bob"), k.Enroll("carol")) {
		k.Unchanged(p.ID, func() { p.Challenge() })
		_, err := p.Answer(p.Wrong())
		proving.Want(t, err, enrollment.ReasonWrongCode)
		if ok, err := p.Answer(p.Code()); err != nil || ok.UserID != p.ID {
			t.Errorf("%s: %+v, %v", p.ID, ok, err)
		}
		_, err = p.Answer(p.Code())
		proving.Want(t, err, enrollment.ReasonReplayed)
		k.NextCode(p.Key)
		p.Trust("laptop")
		k.Damage(p.ID)
		_, err = k.Guard.Status(t.Context(), p.ID)
		if proving.Want(t, err, proving.Fault); !errors.Is(err, enrollment.ErrCorrupt) {
			t.Error(err)
		}
	}
}

// The Guard draws from, compares with and opens by what the keys say.
func TestKeys(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("bcrypt is refused, FIPS 140-3 is enforced")
	}
	k := proving.New(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("their code"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	app := k.Enroll("bob").Key
	proving.Want(t, k.Guard.Admin("root", "moving").Import(t.Context(), "alice", enrollment.Import{
		Authenticators: []enrollment.ImportedAuthenticator{{Key: app}}, RecoveryHashes: proving.Hashes(hash),
	}), "")
	compared := 0
	k.Keys.Bcrypt = func() { compared++ }
	_, err = k.Guard.Verify(t.Context(), "alice", "x", "their code")
	if proving.Want(t, err, ""); compared != 1 {
		t.Errorf("compared %d times", compared)
	}
	broken := errors.New("broken")
	bend := map[string]func(*proving.Keys){
		"random":  func(x *proving.Keys) { x.Random = iotest.ErrReader(broken) },
		"sealing": func(x *proving.Keys) { x.Sealing = func(_, _ []byte) error { return broken } },
		"opening": func(x *proving.Keys) { x.Opening = func(_, _ []byte) error { return broken } },
	}
	for name, f := range bend {
		f(k.Keys)
		if _, err := k.Guard.Verify(t.Context(), "bob", "x", k.Code(app)); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		*k.Keys = proving.Keys{Ring: k.Keys.Ring}
	}
	k.Keys.Opened = func(_, b []byte) []byte { return b[:len(b)-1] }
	if _, err := k.Guard.Status(t.Context(), "bob"); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("a changed account: %v", err)
	}
}
