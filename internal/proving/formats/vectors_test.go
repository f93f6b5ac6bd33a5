package formats_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/formats"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The published vectors in enrollment/testdata/vectors. README.md there describes them. They are
// walked twice: with a Guard, and by the second implementation.

// A vectorRecord is a stored record, and what is in it or that it must be refused.
type vectorRecord struct {
	Name      string         `json:"name"`
	Keys      string         `json:"keys"`
	Namespace string         `json:"namespace"`
	UserID    string         `json:"user_id"`
	Version   int64          `json:"version"`
	State     store.State    `json:"state"`
	Due       time.Time      `json:"due,omitzero"`
	Now       time.Time      `json:"now"`
	Data      []byte         `json:"data"`
	Code      string         `json:"code,omitempty"` // of the app, at Now
	Refused   string         `json:"refused,omitempty"`
	Account   *secondAccount `json:"account,omitempty"`
}

// A vectorToken is a token, the record that it belongs to, and what is in it or the
// reason why it must be refused.
type vectorToken struct {
	Name      string            `json:"name"`
	Use       string            `json:"use"`
	Record    string            `json:"record,omitempty"`
	Keys      string            `json:"keys"`
	Namespace string            `json:"namespace"`
	UserID    string            `json:"user_id"`
	Purpose   string            `json:"purpose,omitempty"`
	Browser   string            `json:"browser,omitempty"`
	Now       time.Time         `json:"now"`
	Token     string            `json:"token"`
	Code      string            `json:"code,omitempty"` // that was sent to an address, or the recovery code that answers a challenge
	Refused   enrollment.Reason `json:"refused,omitempty"`
	Payload   map[string]string `json:"payload,omitempty"`
	Codes     []string          `json:"codes,omitempty"`
}

// skipWithoutSHA1 skips what computes app codes, which are of SHA-1.
func skipWithoutSHA1(t *testing.T) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the vectors have codes of SHA-1, FIPS 140-3 is enforced")
	}
}

// readVectors returns a file of vectors. A file without any is a failure.
func readVectors[T any](t *testing.T, name string) []T {
	t.Helper()
	text, err := os.ReadFile(formats.Path(t, filepath.Join("vectors", name)))
	if err != nil {
		t.Fatal(err)
	}
	var list []T
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil || len(list) < 4 {
		t.Fatalf("%s: %d vectors, %v", name, len(list), err)
	}
	return list
}

// allVectors returns the files of records, or of tokens.
func allVectors[T any](t *testing.T, kind string) (list []T) {
	t.Helper()
	names, err := filepath.Glob(formats.Path(t, filepath.Join("vectors", "*"+kind+".json")))
	if err != nil || len(names) < 3 {
		t.Fatalf("%d files of %s, %v", len(names), kind, err)
	}
	for _, name := range names {
		list = append(list, readVectors[T](t, filepath.Base(name))...)
	}
	return list
}

// guard returns a Guard with the record in its store, at the time of the vector.
func (v vectorRecord) guard(t *testing.T, keys, namespace string, now time.Time) *enrollment.Guard {
	t.Helper()
	ring, err := keyring.Parse(keys)
	if err != nil {
		t.Fatal(err)
	}
	s := memory.New()
	if v.Data != nil {
		record := store.Record{UserID: v.UserID, Version: v.Version, State: v.State, Due: v.Due, Updated: now, Data: v.Data}
		if err := s.Save(t.Context(), record, 0); err != nil {
			t.Fatal(err)
		}
	}
	guard, err := enrollment.New(s, ring, enrollment.Config{
		Issuer: "Acme", Namespace: namespace, RecoveryScheme: recovery.Fast, RecoveryCodes: recovery.MinCount,
		Now: func() time.Time { return now }, ShortSecretsUntil: now.Add(time.Hour), AddressAlone: true, ReplenishCodes: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func TestVectorRecords(t *testing.T) {
	t.Parallel()
	skipWithoutSHA1(t)
	for _, v := range allVectors[vectorRecord](t, "records") {
		t.Run(v.Name, func(t *testing.T) {
			status, err := v.guard(t, v.Keys, v.Namespace, v.Now).Status(t.Context(), v.UserID)
			plain, secondErr := secondRecord(secondKeys(v.Keys), v.Namespace, v.UserID, v.Version, v.State.String(), v.Data)
			if v.Refused != "" {
				if secondErr == nil { // it opens, and what is in it is refused
					_, secondErr = secondDecode(plain)
				}
				if !errors.Is(err, enrollment.ErrCorrupt) || secondErr == nil {
					t.Errorf("not refused: %v, %v", err, secondErr)
				}
				return
			}
			if err != nil || secondErr != nil {
				t.Fatalf("refused: %v, %v", err, secondErr)
			}
			if a, err := secondDecode(plain); err != nil || !reflect.DeepEqual(&a, v.Account) {
				t.Errorf("the second implementation reads %+v, %v", a, err)
			}
			v.compare(t, status)
		})
	}
}

// compare holds what the Guard says of the account against the vector.
func (v vectorRecord) compare(t *testing.T, s enrollment.Status) {
	t.Helper()
	left := len(v.Account.Imported)
	if c := v.Account.Codes; c != nil {
		left += len(c.Digests) - c.Used
	}
	if len(s.Authenticators) != len(v.Account.Authenticators) || s.CodesLeft != left || s.Devices != len(v.Account.Devices) ||
		len(s.History) != len(v.Account.History) || s.Enabled() != (v.State == store.Confirmed) {
		t.Errorf("the Guard says %+v", s)
	}
	if len(v.Account.Authenticators) == 0 {
		return
	}
	out, err := v.guard(t, v.Keys, v.Namespace, v.Now).Admin("vectors", "compare").Export(t.Context(), v.UserID)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range out.Reveal() {
		want, p := v.Account.Authenticators[i], x.Key.Params()
		if x.Key.Secret().Base32() != want.Secret || x.Name != want.Name || int(p.Algorithm) != want.Algorithm ||
			p.Digits != want.Digits || int(p.Period/time.Second) != want.Period || x.Added.Format(time.RFC3339Nano) != want.Added {
			t.Errorf("authenticator %d is %s, %v, want %+v", i, x.Name, p, want)
		}
	}
}

// code returns the app code of the record's first authenticator; any if there is none.
func (v vectorRecord) code(t *testing.T, now time.Time) string {
	t.Helper()
	if v.Account == nil || len(v.Account.Authenticators) == 0 {
		return "123456"
	}
	x := v.Account.Authenticators[0]
	secret, err := totp.ShortSecrets{}.ParseSecret(x.Secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{Algorithm: totp.Algorithm(x.Algorithm), Digits: x.Digits, Period: time.Duration(x.Period) * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	code, err := key.Code(now)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestVectorTokens(t *testing.T) {
	t.Parallel()
	skipWithoutSHA1(t)
	records := make(map[string]vectorRecord)
	for _, v := range allVectors[vectorRecord](t, "records") {
		records[v.Name] = v
	}
	for _, v := range allVectors[vectorToken](t, "tokens") {
		t.Run(v.Name, func(t *testing.T) {
			codes, err := v.use(t, records[v.Record])
			if v.Refused != "" {
				if err == nil || errors.Is(err, errAsked) != (v.Refused == askedForCode) {
					t.Fatalf("err = %v, want %s", err, v.Refused)
				}
				if v.Refused != askedForCode {
					proving.Want(t, err, v.Refused)
				}
				v.secondRefuses(t)
				return
			}
			if err != nil || !slices.Equal(codes, v.Codes) {
				t.Fatalf("the Guard: %q, %v", codes, err)
			}
			v.second(t, records[v.Record])
		})
	}
}

// second reads the token with the second implementation.
func (v vectorToken) second(t *testing.T, record vectorRecord) {
	t.Helper()
	if v.Use == "device" {
		hash := secondDeviceHash(v.Namespace, v.UserID, v.Token)
		if hash != v.Payload["hash"] || hash != record.Account.Devices[0].Hash {
			t.Errorf("the second implementation has the hash %s", hash)
		}
		return
	}
	plain, err := secondToken(secondKeys(v.Keys), v.Namespace, v.Use, v.Token)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := secondPayload(v.Use, plain)
	if err != nil || !reflect.DeepEqual(payload, v.Payload) {
		t.Errorf("the second implementation reads %v, %v", payload, err)
	}
	if v.Use == "challenge" && v.Code != "" {
		v.secondReplaces(t, record)
	}
}

// askedForCode is what tokens.json says of a device that is not trusted.
const askedForCode = "asked for a code"

var errAsked = errors.New(askedForCode)

// secondRefuses demands that the second implementation can't open the token, or sees in
// it why it must be refused.
func (v vectorToken) secondRefuses(t *testing.T) {
	t.Helper()
	plain, err := secondToken(secondKeys(v.Keys), v.Namespace, v.Use, v.Token)
	if err != nil || v.Use == "device" {
		return
	}
	payload, err := secondPayload(v.Use, plain)
	if err != nil {
		t.Fatal(err)
	}
	ttl := enrollment.ReceiptTTL
	if v.Use == "enroll" {
		ttl = enrollment.EnrollConfirmTTL
	}
	expires, _ := time.Parse(time.RFC3339Nano, payload["expires"])
	at, _ := time.Parse(time.RFC3339Nano, payload["at"])
	late := !expires.IsZero() && !v.Now.Before(expires) || !at.IsZero() && v.Now.After(at.Add(ttl))
	if payload["user_id"] == v.UserID && (v.Purpose == "" || payload["purpose"] == v.Purpose) && payload["browser"] == v.Browser && !late {
		t.Errorf("the second implementation sees no reason to refuse %v", payload)
	}
}

// use does with the token what it is for. It returns the recovery codes that it makes.
func (v vectorToken) use(t *testing.T, record vectorRecord) (codes []string, err error) {
	t.Helper()
	ctx, guard := t.Context(), record.guard(t, v.Keys, v.Namespace, v.Now)
	switch v.Use {
	case "challenge":
		if v.Code != "" {
			return v.replaceCode(ctx, guard)
		}
		_, err = guard.Answer(ctx, enrollment.Purpose(v.Purpose), enrollment.ChallengeOf(v.Token), record.code(t, v.Now))
	case "receipt":
		_, err = guard.RecentlyVerified(ctx, v.UserID, enrollment.Purpose(v.Purpose), enrollment.ReceiptOf(v.Token), enrollment.ReceiptTTL)
	case "setup":
		if record.State == store.Pending {
			_, err = guard.Resume(ctx, v.UserID, enrollment.SetupTokenOf(v.Token))
			return nil, err
		}
		var made recovery.Codes
		made, err = guard.SetupCodes(ctx, v.UserID, enrollment.SetupTokenOf(v.Token))
		codes = made.Reveal()
	case "address":
		return v.useAddress(ctx, guard)
	case "renewal":
		var made enrollment.RenewedCodes
		made, err = guard.RenewCodesOnce(ctx, v.UserID, enrollment.RenewalTokenOf(v.Token), enrollment.ByCode(record.code(t, v.Now)))
		codes = made.Codes.Reveal()
	case "enroll":
		_, err = guard.EnrollingUser(ctx, enrollment.EnrollTokenOf(v.Token), v.Browser)
	case "device":
		var d enrollment.Decision
		d, err = guard.SignIn(ctx, v.UserID, enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(v.Token)})
		if err == nil && d.Next == enrollment.AskCode {
			err = errAsked
		}
	default:
		t.Fatalf("unknown use %q", v.Use)
	}
	return codes, err
}
