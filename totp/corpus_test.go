package totp_test

// The corpus of otpauth URIs in testdata, and the cases that it is about, see
// CASES.md.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A corpusURI is a URI in the style of an issuer or app, with what authenticators
// make of it. Fields that are missing have the default.
type corpusURI struct {
	Name      string `json:"name"`
	URI       string `json:"uri"`
	Issuer    string `json:"issuer"`
	Account   string `json:"account"`
	Image     string `json:"image"`
	Secret    string `json:"secret"` // base32; that of plainKey if missing
	Algorithm string `json:"algorithm"`
	Digits    int    `json:"digits"`
	Period    int    `json:"period"`
}

func (u corpusURI) label() totp.Label {
	return totp.Label{Issuer: u.Issuer, Account: u.Account, Image: u.Image}
}

func (u corpusURI) key(t *testing.T) totp.Key {
	t.Helper()
	secret, err := totp.ParseSecret(cmp.Or(u.Secret, text20))
	if err != nil {
		t.Fatal(err)
	}
	if got := secret.Base32(); got != cmp.Or(u.Secret, text20) {
		t.Fatalf("the expected secret is not written as %s", got)
	}
	algorithm, err := totp.ParseAlgorithm(cmp.Or(u.Algorithm, "SHA1"))
	if err != nil {
		t.Fatal(err)
	}
	return mustKey(t, secret.Reveal(), totp.Params{Algorithm: algorithm, Digits: u.Digits, Period: time.Duration(u.Period) * time.Second})
}

// loadCorpus returns the corpus. It fails if that is empty.
func loadCorpus(t testing.TB) []corpusURI {
	t.Helper()
	data, err := os.ReadFile("testdata/uris.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []corpusURI
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the corpus is empty")
	}
	return all
}

// What is odd about a label never costs the key.
func TestCase58_OddLabels(t *testing.T) {
	t.Parallel()
	theirs := 0
	for _, u := range loadCorpus(t) {
		readers := map[string]func() (totp.Key, totp.Label, error){
			"ParseURI": func() (totp.Key, totp.Label, error) { return totp.ParseURI(u.URI) },
		}
		if o, err := otp.NewKeyFromURL(u.URI); err == nil {
			theirs++
			readers["FromOTP"] = func() (totp.Key, totp.Label, error) { return totp.FromOTP(o) }
		}
		want := u.key(t)
		for name, read := range readers {
			k, label, err := read()
			if err != nil {
				t.Errorf("%s: %s: %v", u.Name, name, err)
				continue
			}
			if label != u.label() {
				t.Errorf("%s: %s: label %+q", u.Name, name, label)
			}
			if k.Params() != want.Params() || !k.Secret().Equal(want.Secret()) {
				t.Errorf("%s: %s: another key, %+v", u.Name, name, k.Params())
			}
		}
	}
	if theirs < 50 {
		t.Errorf("pquerna/otp reads only %d of the URIs", theirs)
	}
}

// A label that was read can be written when Fit has changed what is not allowed
// and the application has filled in what is missing.
func TestLabelOfCorpusFits(t *testing.T) {
	t.Parallel()
	refused := 0
	for _, u := range loadCorpus(t) {
		k, label, err := totp.ParseURI(u.URI)
		if err != nil {
			t.Errorf("%s: %v", u.Name, err)
			continue
		}
		if _, err := k.URI(label); err != nil {
			refused++
		}
		fit := label.Fit()
		fit.Issuer, fit.Account = cmp.Or(fit.Issuer, "Acme"), cmp.Or(fit.Account, "alice")
		uri, err := k.URI(fit)
		if err != nil {
			t.Errorf("%s: URI: %v", u.Name, err)
			continue
		}
		if again, l, err := totp.ParseURI(uri); err != nil || l != fit || again.Params() != k.Params() || !again.Secret().Equal(k.Secret()) {
			t.Errorf("%s: %s reads as %+v, %v", u.Name, uri, l, err)
		}
	}
	if refused == 0 {
		t.Error("no label of the corpus needs Fit")
	}
}

// pquerna/otp drops the bits that are left over. An authenticator shows its code.
// The integration tests ask oathtool.
func TestCase59_BitsLeftOver(t *testing.T) {
	t.Parallel()
	skipRefused(t, totp.SHA1)
	compared := 0
	for _, u := range loadCorpus(t) {
		if !strings.Contains(u.Name, "left over") {
			continue
		}
		k, _, err := totp.ParseURI(u.URI)
		if err != nil {
			t.Fatal(err)
		}
		o, err := otp.NewKeyFromURL(u.URI)
		if err != nil {
			t.Fatal(err)
		}
		want, err := pquerna.GenerateCode(o.Secret(), now)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustCode(t, k, now); got != want {
			t.Errorf("%s: code %s, pquerna has %s", u.Name, got, want)
		}
		compared++
	}
	if compared != 4 {
		t.Errorf("%d URIs were compared, want one for each number of bits", compared)
	}
}

func TestCase60_Epoch(t *testing.T) {
	t.Parallel()
	const uri = "otpauth://totp/Acme:alice?secret=" + text20 + "&issuer=Acme"
	for _, same := range []string{"&epoch=0", "&epoch=00", "&epoch=", "&epoch"} {
		if _, _, err := totp.ParseURI(uri + same); err != nil {
			t.Errorf("%s: %v", same, err)
		}
	}
	for _, other := range []string{"&epoch=100", "&epoch=-1", "&epoch=0x0", "&epoch=%2B0", "&EPOCH=1", "&e%70och=1", "&epoch=0&epoch=1", ";epoch=1", "#&epoch=1"} {
		if k, _, err := totp.ParseURI(uri + other); !errors.Is(err, totp.ErrURI) || !k.IsZero() {
			t.Errorf("%s: %v, want ErrURI", other, err)
		}
	}
}

// What has one meaning only is read, see also the corpus. What has two is refused.
func TestCase61_OneMeaning(t *testing.T) {
	t.Parallel()
	const uri = "otpauth://totp/T:u?issuer=T&secret=" + text20
	const other = "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK"
	for _, same := range []string{
		"&secret=" + text20, "&SECRET=" + text20, "&issuer=T", "&digits=8&digits=8", "&period=10&digits=7&period=10",
		"&algorithm=SHA256&algorithm=SHA256", "%3D", "=", "&algorithm=hmac-sha1", "&algorithm=HMACSHA512",
	} {
		if _, _, err := totp.ParseURI(uri + same); err != nil {
			t.Errorf("%s: %v", same, err)
		}
	}
	for _, two := range []string{
		"&secret=" + other, "&SECRET=" + other, "&issuer=U", "&digits=6&digits=8", "&period=30&period=60", "&algorithm=SHA1&algorithm=SHA256",
		"&encoder=&encoder=steam", ";secret=" + other, "&amp;digits=8", ";DIGITS=8", "#&digits=8", "#x?period=60", "&algorithm=HMAC", "&algorithm=HmacMD5", "&period=9", "&digits=9", "=A",
	} {
		if k, _, err := totp.ParseURI(uri + two); !errors.Is(err, totp.ErrURI) || !k.IsZero() {
			t.Errorf("%s: %v, want ErrURI", two, err)
		}
	}
}
