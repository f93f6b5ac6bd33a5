package formats_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A vectorSet is a set of recovery codes: the seed that makes the codes, the codes, and
// what is stored of them.
type vectorSet struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Use       string   `json:"use"` // of the token that has the seed
	UserID    string   `json:"user_id"`
	ID        string   `json:"id"`
	Seed      string   `json:"seed"`
	Scheme    string   `json:"scheme"`
	Count     int      `json:"count"`
	Codes     []string `json:"codes"`
	Set       string   `json:"set"`
	Refused   []string `json:"refused"` // texts that are no code of the set
}

// codes returns the codes of the seed, by the library from the same random bytes, and by
// the second implementation.
func (v vectorSet) codes(t *testing.T) (first recovery.Codes, second []string) {
	t.Helper()
	seed, _ := hex.DecodeString(v.Seed)
	id, _ := hex.DecodeString(v.ID)
	second, err := secondCodesOf(seed, v.Namespace, v.Use, v.UserID, id, v.Scheme, v.Count)
	if err != nil {
		t.Fatal(err)
	}
	info := secondParts("twofactor codes v1", v.Namespace, "twofactor "+v.Use+" v1", v.UserID, string(id), v.Scheme, strconv.Itoa(v.Count))
	random, err := hkdf.Expand(sha256.New, seed, string(info), 32*17)
	if err != nil {
		t.Fatal(err)
	}
	if first, err = recovery.Generate(bytes.NewReader(random), v.Count, v.scheme()); err != nil {
		t.Fatal(err)
	}
	return first, second
}

func (v vectorSet) scheme() recovery.Scheme {
	if v.Scheme == "fast" {
		return recovery.Fast
	}
	return recovery.Argon2id
}

func TestVectorSets(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors[vectorSet](t, "recovery.json") {
		t.Run(v.Name, func(t *testing.T) {
			first, second := v.codes(t)
			if !slices.Equal(first.Reveal(), v.Codes) || !slices.Equal(second, v.Codes) {
				t.Fatalf("codes %q and %q", first.Reveal(), second)
			}
			raw, _ := hex.DecodeString(v.Set)
			stored, err := secondReadCodes(raw)
			if err != nil || len(stored.Digests) != v.Count {
				t.Fatalf("the second implementation reads %+v, %v", stored, err)
			}
			if v.Scheme == "argon2id" && fips.Enforced() {
				t.Skip("Argon2id is not approved")
			}
			set, err := recovery.DecodeSet(raw)
			if err != nil {
				t.Fatal(err)
			}
			for i, code := range v.Codes {
				if at, err := spend(&set, code); err != nil || at != i {
					t.Errorf("code %d: %d, %v", i, at, err)
				}
				if _, err := spend(&set, code); err == nil {
					t.Errorf("code %d works twice", i)
				}
				salt, _ := hex.DecodeString(stored.Salt)
				if v.Scheme == "fast" && secondFastDigest(salt, code) != stored.Digests[i] {
					t.Errorf("code %d has another digest", i)
				}
			}
			for _, text := range v.Refused {
				if _, err := spend(&set, text); err == nil {
					t.Errorf("%q is accepted", text)
				}
			}
		})
	}
}

func spend(set *recovery.Set, text string) (int, error) {
	code, err := recovery.ParseCode(text)
	if err != nil {
		return 0, err
	}
	digest, err := set.Derivation().Derive(code)
	if err != nil {
		return 0, err
	}
	return set.Spend(digest, time.Unix(1, 0))
}

// A vectorURI is an otpauth URI, and what is in it or why it must be refused.
type vectorURI struct {
	Name      string `json:"name"`
	URI       string `json:"uri"`
	Refused   string `json:"refused,omitempty"`
	Secret    string `json:"secret,omitempty"` // hexadecimal
	Algorithm string `json:"algorithm,omitempty"`
	Digits    int    `json:"digits,omitempty"`
	Period    int    `json:"period,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
	Account   string `json:"account,omitempty"`
	At        int64  `json:"at,omitempty"`   // seconds since 1970
	Code      string `json:"code,omitempty"` // that the app shows then
}

func TestVectorURIs(t *testing.T) {
	t.Parallel()
	skipWithoutSHA1(t)
	for _, v := range readVectors[vectorURI](t, "uris.json") {
		key, label, err := totp.ParseURI(v.URI)
		if v.Refused != "" {
			if err == nil {
				t.Errorf("%s: accepted", v.Name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		got := vectorURI{
			Name: v.Name, URI: v.URI, Secret: hex.EncodeToString(key.Secret().Reveal()), Algorithm: key.Params().Algorithm.String(),
			Digits: key.Params().Digits, Period: int(key.Params().Period / time.Second), Issuer: label.Issuer, Account: label.Account, At: v.At,
		}
		if got.Code, err = key.Code(time.Unix(v.At, 0)); err != nil || got != v {
			t.Errorf("%s: %+v, %v", v.Name, got, err)
		}
	}
}

// A vectorText is what a person types on a record, and what it is taken for or why it is
// refused.
type vectorText struct {
	Name    string            `json:"name"`
	Record  string            `json:"record"`
	Now     time.Time         `json:"now"`
	Text    string            `json:"text"`
	Factor  enrollment.Factor `json:"factor,omitempty"`
	Refused enrollment.Reason `json:"refused,omitempty"`
}

func TestVectorTexts(t *testing.T) {
	t.Parallel()
	skipWithoutSHA1(t)
	records := readVectors[vectorRecord](t, "records.json")
	for _, v := range readVectors[vectorText](t, "typed.json") {
		at := slices.IndexFunc(records, func(r vectorRecord) bool { return r.Name == v.Record })
		guard := records[at].guard(t, records[at].Keys, records[at].Namespace, v.Now)
		ok, err := guard.Verify(t.Context(), records[at].UserID, "typed", v.Text)
		switch {
		case v.Refused != "" && (proving.ReasonOf(err) != v.Refused || !errors.Is(err, enrollment.ErrWrongCode)):
			t.Errorf("%s: %v, want %s", v.Name, err, v.Refused)
		case v.Refused == "" && (err != nil || ok.Factor != v.Factor):
			t.Errorf("%s: %v, %v", v.Name, ok.Factor, err)
		}
	}
}
