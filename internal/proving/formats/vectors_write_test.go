package formats_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/formats"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A vectorWorld makes the vectors of records and tokens, with a Guard on a fixed clock.
type vectorWorld struct {
	t         *testing.T
	ring      *keyring.Ring
	namespace string
	now       time.Time
	store     *memory.Store
	guard     *enrollment.Guard
	records   []vectorRecord
	tokens    []vectorToken
}

const vectorUser = "älice@example.com"

// TestWriteVectors makes the vectors. With -update it writes the files that do not exist:
// go test -run TestWriteVectors -update. It overwrites none. Those that exist never
// change.
func TestWriteVectors(t *testing.T) {
	skipWithoutSHA1(t)
	old, err := keyring.Generate("k1")
	if err != nil {
		t.Fatal(err)
	}
	w := &vectorWorld{t: t, ring: old, namespace: "vectors", now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), store: memory.New()}
	w.open()
	w.makeImported()
	if w.ring, err = old.Rotate("k2"); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.makeAccount()
	w.refuseRecords()
	w.refuseTokens()
	writeVectors(w, "records.json", w.records)
	writeVectors(w, "tokens.json", w.tokens)
	w.writeAddresses()
	w.writeReplaced()
	w.writeOffsets()
	w.writeSets()
	w.writeTexts()
	w.writeURIs()
}

func (w *vectorWorld) open(adjust ...func(*enrollment.Config)) {
	config := enrollment.Config{
		Issuer: "Acme", Namespace: w.namespace, RecoveryScheme: recovery.Fast, RecoveryCodes: recovery.MinCount,
		Now: func() time.Time { return w.now }, ShortSecretsUntil: w.now.Add(time.Hour),
	}
	for _, f := range adjust {
		f(&config)
	}
	var err error
	w.guard, err = enrollment.New(w.store, w.ring, config)
	w.must(err)
}

func (w *vectorWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// record keeps what is stored of the user.
func (w *vectorWorld) record(name, userID string) vectorRecord {
	w.t.Helper()
	r, err := w.store.Load(w.t.Context(), userID)
	w.must(err)
	v := vectorRecord{Name: name, Keys: w.ring.Reveal(), Namespace: w.namespace, UserID: userID,
		Version: r.Version, State: r.State, Due: r.Due, Now: w.now, Data: r.Data}
	plain, err := secondRecord(secondKeys(v.Keys), v.Namespace, userID, v.Version, v.State.String(), v.Data)
	w.must(err)
	a, err := secondDecode(plain)
	w.must(err)
	v.Account = &a
	w.records = append(w.records, v)
	return v
}

// token keeps a token, and what is in it.
func (w *vectorWorld) token(name, use, record, text string, edit func(*vectorToken)) {
	w.t.Helper()
	v := vectorToken{Name: name, Use: use, Record: record, Keys: w.ring.Reveal(), Namespace: w.namespace, UserID: vectorUser, Now: w.now, Token: text}
	if use == "device" {
		v.Payload = map[string]string{"hash": secondDeviceHash(v.Namespace, v.UserID, text)}
	} else {
		plain, err := secondToken(secondKeys(v.Keys), v.Namespace, use, text)
		w.must(err)
		v.Payload, err = secondPayload(use, plain)
		w.must(err)
	}
	if edit != nil {
		edit(&v)
	}
	w.tokens = append(w.tokens, v)
}

// makeImported imports an account of another system, under the older key.
func (w *vectorWorld) makeImported() {
	ctx := w.t.Context()
	secret, err := totp.ShortSecrets{}.ParseSecret("GEZDGNBVGY3TQOJQ")
	w.must(err)
	key, err := totp.NewKey(secret, totp.Params{Algorithm: totp.SHA256, Digits: 8, Period: time.Minute})
	w.must(err)
	hash := bytes.Repeat([]byte("hash"), 8)
	w.must(w.guard.Admin("migration", "vectors").Import(ctx, "imported", enrollment.Import{
		Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "phone"}}, RecoveryHashes: proving.Hashes(hash),
	}))
	w.record("imported, under the older of two keys", "imported")
	w.records[0].Keys = "k2:" + base64.RawURLEncoding.EncodeToString([]byte("another key of thirty-two bytes!")) + "," + w.records[0].Keys
}

// makeAccount leads an account through its life.
func (w *vectorWorld) makeAccount() {
	ctx := w.t.Context()
	d, err := w.guard.SignIn(ctx, vectorUser, enrollment.SignInOptions{Require: true, Browser: "browser 1"})
	w.must(err)
	w.token("enroll", "enroll", "", d.EnrollToken.Reveal(), func(v *vectorToken) { v.Browser = "browser 1" })
	setup, err := w.guard.Begin(ctx, vectorUser, enrollment.BeginOptions{Account: vectorUser, Name: "phone", Proof: enrollment.ByReauth("password")})
	w.must(err)
	w.record("pending", vectorUser)
	w.token("setup, pending", "setup", "pending", setup.Token.Reveal(), nil)
	done, err := w.guard.Confirm(ctx, vectorUser, setup.Token, w.records[1].setupCode(w.t))
	w.must(err)
	w.record("confirmed", vectorUser)
	w.token("setup, confirmed: its codes again", "setup", "confirmed", setup.Token.Reveal(), func(v *vectorToken) { v.Codes = done.Codes.Reveal() })
	_, err = w.guard.Verify(ctx, vectorUser, "x", done.Codes.Reveal()[1])
	w.must(err)
	w.record("a recovery code is used", vectorUser)

	w.now = w.now.Add(time.Minute)
	ok, err := w.guard.Verify(ctx, vectorUser, "x", w.records[3].code(w.t, w.now))
	w.must(err)
	trusted, err := w.guard.Devices().Trust(ctx, vectorUser, ok.Receipt, "Firefox")
	w.must(err)
	w.record("a device is trusted", vectorUser)
	w.token("receipt", "receipt", "a device is trusted", ok.Receipt.Reveal(), func(v *vectorToken) { v.Purpose = "x" })
	w.token("device", "device", "a device is trusted", trusted.Token.Reveal(), nil)
	w.now = w.now.Add(time.Minute)
	d, err = w.guard.SignIn(ctx, vectorUser, enrollment.SignInOptions{Channel: "mail"})
	w.must(err)
	w.token("challenge", "challenge", "a device is trusted", d.Challenge.Reveal(), func(v *vectorToken) { v.Purpose = string(enrollment.PurposeSignIn) })
	renewal, err := w.guard.PrepareRenewal(ctx, vectorUser)
	w.must(err)
	w.token("renewal", "renewal", "a device is trusted", renewal.Reveal(), func(v *vectorToken) {
		seed, _ := hex.DecodeString(v.Payload["seed"])
		id, _ := hex.DecodeString(v.Payload["id"])
		v.Codes, err = secondCodesOf(seed, v.Namespace, "renewal", vectorUser, id, "fast", recovery.MinCount)
		w.must(err)
	})
	_, err = w.guard.Verify(ctx, vectorUser, "x", "000000")
	if err == nil {
		w.t.Fatal("000000 is right: try again")
	}
	w.record("a wrong code", vectorUser)
	w.must(w.guard.Disable(ctx, vectorUser, enrollment.ByCode(w.records[3].code(w.t, w.now))))
	w.record("disabled", vectorUser)
}

// setupCode returns the code that confirms the setup of the record.
func (v vectorRecord) setupCode(t *testing.T) string {
	t.Helper()
	a := *v.Account
	a.Authenticators = []secondAuthenticator{a.Setup.Authenticator}
	v.Account = &a
	return v.code(t, v.Now)
}

// refuseRecords makes records that must not open of one that does.
func (w *vectorWorld) refuseRecords() {
	good := w.records[2]
	refuse := func(name, why string, edit func(*vectorRecord)) {
		v := good
		v.Name, v.Refused, v.Account, v.Data = name, why, nil, bytes.Clone(good.Data)
		edit(&v)
		w.records = append(w.records, v)
	}
	const misplaced = "damaged or misplaced"
	refuse("of another user", misplaced, func(v *vectorRecord) { v.UserID = "mallory" })
	refuse("of another spelling", misplaced, func(v *vectorRecord) { v.UserID = "a\u0308lice@example.com" })
	refuse("of another version", misplaced, func(v *vectorRecord) { v.Version++ })
	refuse("of another state", misplaced, func(v *vectorRecord) { v.State = store.Disabled })
	refuse("of another namespace", "another namespace", func(v *vectorRecord) { v.Namespace = "other" })
	refuse("a bit of the nonce", misplaced, func(v *vectorRecord) { v.Data[8] ^= 1 })
	refuse("a bit of the text", misplaced, func(v *vectorRecord) { v.Data[40] ^= 1 })
	refuse("a bit of the tag", misplaced, func(v *vectorRecord) { v.Data[len(v.Data)-5] ^= 1 })
	refuse("a bit of the namespace's mark", "another namespace", func(v *vectorRecord) { v.Data[len(v.Data)-1] ^= 1 })
	refuse("a bit of the key's check value", "another key with the same id", func(v *vectorRecord) { v.Data[4] ^= 1 })
	refuse("another format", misplaced, func(v *vectorRecord) { v.Data[0] = 2 })
	refuse("a key id that is longer than the data", misplaced, func(v *vectorRecord) { v.Data[1] = 255 })
	refuse("cut off", misplaced, func(v *vectorRecord) { v.Data = append(v.Data[:30], v.Data[len(v.Data)-4:]...) })
	refuse("nothing but a mark", misplaced, func(v *vectorRecord) { v.Data = v.Data[len(v.Data)-4:] })
	refuse("a key that is not there", "unknown key", func(v *vectorRecord) { v.Keys = strings.ReplaceAll(v.Keys, "k2:", "k3:") })
	refuse("another key with the same id", "another key with the same id", func(v *vectorRecord) {
		v.Keys = "k2:" + base64.RawURLEncoding.EncodeToString([]byte("another key of thirty-two bytes!"))
	})
}

// refuseTokens makes tokens that must be refused of those that are good.
func (w *vectorWorld) refuseTokens() {
	invalid := map[string]enrollment.Reason{
		"challenge": enrollment.ReasonChallengeInvalid, "receipt": enrollment.ReasonProofInvalid, "setup": enrollment.ReasonSetupInvalid,
		"renewal": enrollment.ReasonRenewalInvalid, "enroll": enrollment.ReasonEnrollTokenInvalid, "device": askedForCode,
		"address": enrollment.ReasonSetupInvalid,
	}
	for _, good := range w.tokens {
		refuse := func(name string, reason enrollment.Reason, edit func(*vectorToken)) {
			v := good
			v.Name, v.Refused, v.Payload, v.Codes = good.Name+": "+name, reason, nil, nil
			edit(&v)
			w.tokens = append(w.tokens, v)
		}
		no := invalid[good.Use]
		middle := len(good.Token) / 2
		refuse("another character", no, func(v *vectorToken) {
			v.Token = v.Token[:middle] + string("AB"[strings.Count(v.Token[middle:middle+1], "A")]) + v.Token[middle+1:]
		})
		refuse("a line break", no, func(v *vectorToken) { v.Token = v.Token[:middle] + "\n" + v.Token[middle:] })
		if len(good.Token)%4 != 0 {
			refuse("unused bits that are not 0", no, func(v *vectorToken) {
				end := len(v.Token) - 1
				v.Token = v.Token[:end] + string(rune(v.Token[end]+1)) // the next symbol, because the last bit was 0
			})
		}
		refuse("cut off", no, func(v *vectorToken) { v.Token = v.Token[:middle] })
		refuse("empty", no, func(v *vectorToken) { v.Token = "" })
		if good.Use == "device" {
			continue
		}
		refuse("of another namespace", no, func(v *vectorToken) { v.Record, v.Namespace = "", "other" })
		if good.Use != "enroll" && good.Use != "challenge" {
			refuse("of another user", no, func(v *vectorToken) { v.Record, v.UserID = "", "mallory" })
		}
		switch good.Use {
		case "challenge":
			refuse("another purpose", no, func(v *vectorToken) { v.Purpose = "delete" })
			refuse("expired", enrollment.ReasonChallengeExpired, func(v *vectorToken) {
				if v.Now = v.Now.Add(enrollment.ChallengeTTL); v.Code != "" {
					v.Now = v.Now.Add(account.RepeatTTL)
				}
			})
		case "receipt":
			refuse("another purpose", no, func(v *vectorToken) { v.Purpose = "delete" })
			refuse("too old", enrollment.ReasonProofStale, func(v *vectorToken) { v.Now = v.Now.Add(enrollment.ReceiptTTL + time.Second) })
			refuse("as a challenge", enrollment.ReasonChallengeInvalid, func(v *vectorToken) { v.Use = "challenge" })
		case "enroll":
			refuse("another browser", no, func(v *vectorToken) { v.Browser = "browser 2" })
			refuse("too old", no, func(v *vectorToken) { v.Now = v.Now.Add(enrollment.EnrollConfirmTTL + time.Second) })
		case "address":
			refuse("expired", enrollment.ReasonSetupExpired, func(v *vectorToken) { v.Now = v.Now.Add(20 * time.Minute) })
			refuse("as a renewal", enrollment.ReasonRenewalInvalid, func(v *vectorToken) { v.Use, v.Code = "renewal", "" })
		case "renewal":
			refuse("as a setup", enrollment.ReasonSetupInvalid, func(v *vectorToken) { v.Use = "setup" })
		}
	}
}

// other returns a world with the same keys and time, and nothing in it.
func (w *vectorWorld) other() *vectorWorld {
	return &vectorWorld{t: w.t, ring: w.ring, namespace: w.namespace, now: w.now, store: memory.New()}
}

// writeVectors writes a file that does not exist, with a line for each vector. Without
// -update it only demands that the published file has vectors of the same names.
func writeVectors[T any](w *vectorWorld, name string, list []T) {
	w.t.Helper()
	if !*update {
		if got, want := namesOf(list), namesOf(readVectors[T](w.t, name)); !slices.Equal(got, want) {
			w.t.Errorf("%s would have %q, but has %q", name, got, want)
		}
		return
	}
	var text []byte
	for i, v := range list {
		line, err := json.Marshal(v)
		w.must(err)
		start := ",\n  "
		if i == 0 {
			start = "[\n  "
		}
		text = append(append(text, start...), line...)
	}
	f, err := os.OpenFile(formats.Path(w.t, filepath.Join("vectors", name)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if os.IsExist(err) {
		w.t.Logf("%s is there and stays", name)
		return
	}
	w.must(err)
	_, err = f.Write(append(text, "\n]\n"...))
	w.must(err)
	w.must(f.Close())
}

// namesOf returns the names of vectors.
func namesOf[T any](list []T) (names []string) {
	for _, v := range list {
		names = append(names, reflect.ValueOf(v).FieldByName("Name").String())
	}
	return names
}
