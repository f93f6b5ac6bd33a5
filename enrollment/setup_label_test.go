package enrollment_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// shown returns what an app shows for the setup. The readers of this module and of
// pquerna/otp agree on it, and there is a QR code.
func shown(t *testing.T, setup enrollment.Setup) totp.Label {
	t.Helper()
	key, label, err := totp.ParseURI(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	if !key.Secret().Equal(setup.Secret()) || key.Params() != setup.Params() {
		t.Error("the URI has another key")
	}
	if err := label.Validate(); err != nil {
		t.Error(err)
	}
	o, err := otp.NewKeyFromURL(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	if o.Issuer() != label.Issuer || o.AccountName() != label.Account || o.Secret() != setup.Secret().Base32() {
		t.Errorf("pquerna/otp reads %q, %q; want %+v", o.Issuer(), o.AccountName(), label)
	}
	if _, err := setup.QR(); err != nil {
		t.Error(err)
	}
	return label
}

// Any login name gives a label. The second authenticator of the account has another
// one than the first.
func TestCase62_AnyLoginName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", totp.MaxAccount)
	for name, want := range map[string]string{
		"alice@example.com":            "alice@example.com",
		"@alice:example.org":           "@alice∶example.org",
		"DOMAIN:alice":                 "DOMAIN∶alice",
		`DOMAIN\user`:                  `DOMAIN\user`,
		"sip:alice@example.com:5060":   "sip∶alice@example.com∶5060",
		"  alice \u00A0":               "alice",
		long + "y":                     long,
		strings.Repeat("🦊", 64):        strings.Repeat("🦊", 63),
		"👩‍👩‍👧 alice":                  "👩‍👩‍👧 alice",
		"al\x00ice\r\n":                "al ice",
		"jos\xe9":                      "jos\ufffd",
		"%41&secret=x#?;+":             "%41&secret=x#?;+",
		"שלום":                         "שלום",
		strings.Repeat("ä", 1<<20):     strings.Repeat("ä", 127),
		"":                             "the-id-of-bob",
		" \t":                          "the-id-of-bob",
		"\u200B\u3164\uFE0F\x00\u2800": "the-id-of-bob",
	} {
		k := proving.New(t, func(c *enrollment.Config) { c.RecoveryScheme = recovery.Fast })
		const bob = "the-id-of-bob"
		first, err := k.Guard.Begin(t.Context(), bob, enrollment.BeginOptions{Account: name, Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Errorf("%.24q: %v", name, err)
			continue
		}
		label := shown(t, first)
		if label != (totp.Label{Issuer: "Acme", Account: want}) {
			t.Errorf("%.24q: label %+q", name, label)
		}
		again, err := k.Guard.Resume(t.Context(), bob, first.Token)
		if err != nil || again.URI() != first.URI() {
			t.Errorf("%.24q: Resume shows another setup, %v", name, err)
		}
		key, _, err := totp.ParseURI(first.URI())
		if err != nil {
			t.Fatal(err)
		}
		done, err := k.Guard.Confirm(t.Context(), bob, first.Token, k.Code(key))
		if err != nil {
			t.Fatal(err)
		}
		second, err := k.Guard.Begin(t.Context(), bob, enrollment.BeginOptions{Account: name, Proof: enrollment.ByReceipt(done.Success.Receipt)})
		if err != nil {
			t.Errorf("%.24q, a second time: %v", name, err)
			continue
		}
		if other := shown(t, second); other.Account == label.Account || !strings.HasSuffix(other.Account, " (2)") {
			t.Errorf("%.24q: the second authenticator has the label %+q", name, other)
		}
	}
}

// Where nothing in the user's id can be seen either, its bytes name the entry.
func TestCase62_InvisibleUserID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{" ", "\u200B", strings.Repeat("\u3164", store.MaxUserID/3)} {
		k := proving.New(t)
		setup, err := k.Guard.Begin(t.Context(), id, enrollment.BeginOptions{Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Errorf("%.12q: %v", id, err)
			continue
		}
		if got := shown(t, setup).Account; got == "" || !strings.HasPrefix(hex.EncodeToString([]byte(id)), got) {
			t.Errorf("%.12q: account %q", id, got)
		}
	}
}

// Without a valid user there is no name to fall back to.
func TestBeginWithoutUser(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for _, id := range []string{"", "\x00", "\xff"} {
		for _, account := range []string{"", "bob"} {
			if _, err := k.Guard.Begin(t.Context(), id, enrollment.BeginOptions{Account: account, Proof: enrollment.ByReauth("password")}); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("user %q, account %q: %v, want store.ErrInvalid", id, account, err)
			}
		}
	}
}

// The name of a brand comes from a customer, like a login name.
func TestCase62_AnyIssuer(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Git (https://git.example.org)":     "Git (https∶//git.example.org)",
		" Brand\n":                          "Brand",
		strings.Repeat("ä", totp.MaxIssuer): strings.Repeat("ä", totp.MaxIssuer/2),
		"":                                  "Acme",
		"\u200B":                            "Acme",
	} {
		k := proving.New(t)
		setup, err := k.Guard.Begin(t.Context(), "bob", enrollment.BeginOptions{Account: "bob", Issuer: name, Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Errorf("%.24q: %v", name, err)
		} else if got := shown(t, setup); got != (totp.Label{Issuer: want, Account: "bob"}) {
			t.Errorf("%.24q: label %+q", name, got)
		}
	}
}

// The longest names fill a QR code together with an image, which is left out.
func TestCase62_RoomInQRCode(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) {
		c.Params = totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: 2 * time.Minute}
	})
	o := enrollment.BeginOptions{Account: strings.Repeat("🦊", 99), Issuer: strings.Repeat("🦊", 16), Proof: enrollment.ByReauth("password")}
	begin := func(image int) enrollment.Setup {
		o.Image = "https://example.com/" + strings.Repeat("&", image-20)
		setup, err := k.Guard.Begin(t.Context(), "bob", o)
		if err != nil {
			t.Fatalf("image of %d bytes: %v", image, err)
		}
		return setup
	}
	size := totp.MaxImage // of the longest image that has room
	for !strings.Contains(begin(size).URI(), "&image=") {
		size--
	}
	if size < 300 || size == totp.MaxImage {
		t.Errorf("the longest image in a QR code has %d bytes", size)
	}
	setup := begin(size)
	if shown(t, setup).Image != o.Image {
		t.Error("another image")
	}
	// The number of a second authenticator has room, too.
	if n := len(setup.URI()) + len("%20%283%29"); n > qr.MaxText || n < qr.MaxText-2 {
		t.Errorf("a URI of %d bytes with the number", n)
	}
	if shown(t, begin(size+1)).Image != "" {
		t.Error("an image without room")
	}
}

func TestCase83_FreshSecretsFitTheAlgorithm(t *testing.T) {
	t.Parallel()
	for algorithm, want := range map[totp.Algorithm]int{totp.SHA1: 20, totp.SHA256: 32, totp.SHA512: 64} {
		k := proving.New(t, func(c *enrollment.Config) { c.Params.Algorithm = algorithm })
		setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(setup.Secret().Reveal()); got != want {
			t.Errorf("%v: a secret of %d bytes, want %d", algorithm, got, want)
		}
	}
}

// An import keeps its secret, whatever the algorithm and the label.
func TestCase83_ImportsKeepTheirSecrets(t *testing.T) {
	t.Parallel()
	for name, uri := range map[string]string{
		"20 bytes with SHA-512":  "otpauth://totp/Old:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old&algorithm=HmacSHA512",
		"16 bytes and two bits":  "otpauth://totp/Cloudworks:Company:a@company.example?secret=GAYTEMZUGU3DOOBZGAYTEMZUGV&issuer=Cloudworks",
		"10 seconds, no account": "otpauth://totp/Old:?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=7&period=10",
	} {
		k := proving.New(t)
		key, _, err := totp.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		o, err := otp.NewKeyFromURL(uri)
		if err != nil {
			t.Fatal(err)
		}
		if same, _, err := totp.FromOTP(o); err != nil || !same.Secret().Equal(key.Secret()) || same.Params() != key.Params() {
			t.Errorf("%s: FromOTP reads another key, %v", name, err)
		}
		admin := k.Guard.Admin("importer", "moving in")
		if err := admin.Import(t.Context(), "alice", enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, err := admin.Export(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		if back := out.Reveal()[0].Key; !bytes.Equal(back.Secret().Reveal(), key.Secret().Reveal()) || back.Params() != key.Params() {
			t.Errorf("%s: another key", name)
		}
		k.Pass(2 * key.Params().Period)
		if _, err := k.Guard.Verify(t.Context(), "alice", "a test", k.Code(key)); err != nil {
			t.Errorf("%s: the code of the app: %v", name, err)
		}
	}
}

// What an app would show has no effect on a hardware token, whatever it is.
func TestHardwareTokenHasNoLabel(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	o := enrollment.BeginOptions{Issuer: "a:b", Image: "no address", Proof: enrollment.ByReauth("password")}
	if _, err := k.Guard.Begin(t.Context(), "alice", o); err == nil {
		t.Error("an app is set up with an issuer and an image that can't be shown")
	}
	o.HardwareToken = proving.TheirKey(t, "token", totp.Params{})
	if _, err := k.Guard.Begin(t.Context(), "alice", o); err != nil {
		t.Error(err)
	}
}
