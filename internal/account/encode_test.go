package account_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

var update = flag.Bool("update", false, "write the golden files of a NEW format version; those of earlier ones must never change")

// full is an account in which every field is set.
func full(t *testing.T) *world {
	w := newWorld(t)
	k := w.enroll(1)
	w.enroll(41)
	mustReason(t, w.recover(1, 2), "")
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if err := w.a.Remove(w.moment(), account.AuthenticatorID{41}, w.reauth("password")); err != nil {
		t.Fatal(err)
	}
	w.begin(99, account.AuthenticatorID{1})
	w.a.SpendChallenge(w.moment(), account.Challenge{
		ID: account.ChallengeID{1, 2, 3}, Epoch: w.a.Epoch(), Issued: w.now, Expires: w.now.Add(10 * time.Minute),
	}, account.TOTP, true)
	mustReason(t, w.check(code(t, k, w.now)), "")
	mustReason(t, w.check(w.wrong()), account.WrongCode)
	_, err := w.a.Confirm(w.moment(), account.SetupID{99}, w.wrong())
	mustReason(t, err, account.WrongCode)
	w.recoverWrong()
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	w.a.Stamp(w.moment())
	return w
}

func (w *world) recoverWrong() {
	w.t.Helper()
	_, set := codes(w.t, 1)
	_, err := w.a.Check(w.derived(set, recovery.Digest{}, nil), account.Guess{Factor: account.Recovery, Scheme: recovery.Fast})
	mustReason(w.t, err, account.WrongCode)
}

func encode(t testing.TB, a *account.Account) []byte {
	t.Helper()
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What hosts have stored must stay readable: these files never change.
func TestGoldenFiles(t *testing.T) {
	fresh := newWorld(t)
	disabled := newWorld(t)
	disabled.enroll(1)
	if err := disabled.a.Disable(disabled.moment(), disabled.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	pending := newWorld(t)
	pending.begin(5, account.AuthenticatorID{})
	typical := newWorld(t)
	typical.enroll(1)

	for name, a := range map[string]*account.Account{
		"v1-fresh": fresh.a, "v1-pending": pending.a, "v1-typical": typical.a, "v1-full": full(t).a, "v1-disabled": disabled.a,
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, a) })
	}
}

// golden holds the encoding of an account against a file.
func golden(t *testing.T, name string, a *account.Account) {
	t.Helper()
	if name != "v1-completed" {
		account.ForgetCompleted(a)
	}
	path := filepath.Join("testdata", name+".hex")
	got := encode(t, a)
	if *update {
		if err := os.WriteFile(path, []byte(breakLines(hex.EncodeToString(got))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the encoding has changed:\n%x\nwant\n%x", got, want)
	}
	decoded, err := account.Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := touch(t, decoded); err != nil {
		t.Fatal(err)
	}
	if again := encode(t, decoded); !bytes.Equal(again, want) {
		t.Errorf("decoded and encoded again it is\n%x\nwant\n%x", again, want)
	}
}

// breakLines makes a long text fit for a diff.
func breakLines(s string) string {
	var b strings.Builder
	for len(s) > 80 {
		b.WriteString(s[:80] + "\n")
		s = s[80:]
	}
	b.WriteString(s + "\n")
	return b.String()
}

// touch makes the account decode and encode every part of it.
func touch(t testing.TB, a *account.Account) error {
	t.Helper()
	_, errHistory := a.History()
	_, errOutbox := a.Outbox()
	_, _, errCodes := a.CodesLeft()
	_, errDevices := a.Devices(time.Time{})
	errKept := account.ReadKept(a)
	account.TouchAll(a)
	return errors.Join(errHistory, errOutbox, errCodes, errDevices, errKept)
}

// A node of this version must not lose what a later version stores.
func TestUnknownFieldsSurvive(t *testing.T) {
	t.Parallel()
	w := full(t)
	plain := encode(t, w.a)
	for _, tag := range []byte{0, 77, account.FieldTag - 1} {
		extended := insertEverywhere(t, plain, tag, []byte("from the future"))
		if n := bytes.Count(extended, []byte("from the future")); n < 8 {
			t.Fatalf("only %d places were extended", n)
		}
		a, err := account.Decode(extended)
		if err != nil {
			t.Fatalf("tag %d: %v", tag, err)
		}
		if err := touch(t, a); err != nil {
			t.Fatalf("tag %d: %v", tag, err)
		}
		if got := encode(t, a); !bytes.Equal(got, extended) {
			t.Errorf("tag %d: written back as\n%x\nwant\n%x", tag, got, extended)
		}
	}
}

func TestFieldsThatMustBeUnderstood(t *testing.T) {
	t.Parallel()
	plain := encode(t, full(t).a)
	for _, tag := range []byte{account.FieldTag, 255} {
		_, err := account.Decode(append(bytes.Clone(plain), tag, 0, 1, 7))
		if !errors.Is(err, account.ErrNewer) {
			t.Errorf("tag %d: %v, want ErrNewer", tag, err)
		}
	}
	if _, err := account.Decode([]byte{2}); !errors.Is(err, account.ErrNewer) {
		t.Errorf("version 2: %v, want ErrNewer", err)
	}
}

// It is the same for the parts that only some operations look at: here the last device,
// or the last event.
func TestPartsThatMustBeUnderstood(t *testing.T) {
	t.Parallel()
	w := full(t)
	w.trust(1)
	plain := encode(t, w.a)
	for _, part := range []byte{12, 13, 17} { // history, outbox, devices
		a, err := account.Decode(append(plain[:1:1], extend(plain[1:], part)...))
		if err != nil {
			t.Fatal(err)
		}
		if err := touch(t, a); !errors.Is(err, account.ErrNewer) || errors.Is(err, account.ErrDamaged) {
			t.Errorf("part %d: %v, want ErrNewer", part, err)
		}
	}
}

// extend adds a field that must be understood to the last item of a list.
func extend(fields []byte, part byte) (out []byte) {
	for len(fields) > 0 {
		n := int(binary.BigEndian.Uint16(fields[1:]))
		v := bytes.Clone(fields[3 : 3+n])
		if fields[0] == part {
			last := 0
			for next := 0; next < n; next += 2 + int(binary.BigEndian.Uint16(v[next:])) {
				last = next
			}
			more := []byte{255, 0, 1, 7}
			binary.BigEndian.PutUint16(v[last:], uint16(n-last-2+len(more)))
			v = append(v, more...)
		}
		out = binary.BigEndian.AppendUint16(append(out, fields[0]), uint16(len(v)))
		out = append(out, v...)
		fields = fields[3+n:]
	}
	return out
}

// insertEverywhere adds an unknown field to every field list of the encoding.
func insertEverywhere(t *testing.T, b []byte, tag byte, value []byte) []byte {
	t.Helper()
	insert := func(fields []byte, nested map[byte]func([]byte) []byte) []byte {
		var out []byte
		inserted := false
		put := func(tag byte, v []byte) {
			out = append(out, tag)
			out = binary.BigEndian.AppendUint16(out, uint16(len(v)))
			out = append(out, v...)
		}
		for len(fields) > 0 {
			n := int(binary.BigEndian.Uint16(fields[1:]))
			v := fields[3 : 3+n]
			if !inserted && fields[0] > tag {
				put(tag, value)
				inserted = true
			}
			if f := nested[fields[0]]; f != nil {
				v = f(v)
			}
			put(fields[0], v)
			fields = fields[3+n:]
		}
		if !inserted {
			put(tag, value)
		}
		return out
	}
	list := func(item func([]byte) []byte) func([]byte) []byte {
		return func(b []byte) (out []byte) {
			for len(b) > 0 {
				n := int(binary.BigEndian.Uint16(b))
				v := item(b[2 : 2+n])
				out = binary.BigEndian.AppendUint16(out, uint16(len(v)))
				out = append(out, v...)
				b = b[2+n:]
			}
			return out
		}
	}
	leaf := func(b []byte) []byte { return insert(b, nil) }
	return append([]byte{b[0]}, insert(b[1:], map[byte]func([]byte) []byte{
		5:  list(leaf), // authenticators
		8:  func(b []byte) []byte { return insert(b, map[byte]func([]byte) []byte{7: leaf}) },
		12: list(leaf), // history
		17: list(leaf), // devices
		13: list(func(b []byte) []byte { return insert(b, map[byte]func([]byte) []byte{1: leaf}) }),
	})...)
}

// Damage that the seal did not catch is an error, never another account that
// encodes as if nothing were wrong, and never a panic.
func TestDamageIsRefused(t *testing.T) {
	t.Parallel()
	plain := encode(t, full(t).a)
	for n := range plain {
		if a, err := account.Decode(bytes.Clone(plain[:n])); err == nil && touch(t, a) == nil {
			// Cut at the end of a field, it is the shorter account it says.
			if got := encode(t, a); !bytes.Equal(got, plain[:n]) {
				t.Fatalf("cut at %d it decodes to something else", n)
			}
		}
	}
	for i := range plain {
		for _, bit := range []byte{1, 0x80} {
			damaged := bytes.Clone(plain)
			damaged[i] ^= bit
			if a, err := account.Decode(damaged); err == nil {
				_ = touch(t, a)
			}
		}
	}
	fresh := encode(t, newWorld(t).a)
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"zeros":           make([]byte, 100),
		"version only":    {1},
		"short epoch":     {1, 1, 0, 2, 9, 9},
		"no floor":        append(bytes.Clone(fresh), 6, 0, 0),
		"fields repeated": append(bytes.Clone(plain), plain[1:]...),
	} {
		if _, err := account.Decode(b); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}

// However much there is to remember, an account fits into a record.
func TestEncodingIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("n", account.MaxName)
	for seed := range 3 {
		id := account.SetupID{byte(seed + 1)}
		raw := bytes.Repeat([]byte{byte(seed + 1)}, totp.MaxSecretSize)
		secret, err := totp.NewSecret(raw)
		if err != nil {
			t.Fatal(err)
		}
		k, err := totp.NewKey(secret, totp.Params{})
		if err != nil {
			t.Fatal(err)
		}
		s := account.Setup{
			ID: id, Expires: w.now.Add(time.Hour),
			Label:         totp.Label{Issuer: strings.Repeat("i", totp.MaxIssuer), Account: strings.Repeat("a", totp.MaxAccount)},
			Authenticator: account.Authenticator{ID: account.AuthenticatorID{byte(seed + 1)}, Key: k, Name: long},
		}
		if err := w.a.Begin(w.at(), s, account.TicketHash{}, w.by(account.TOTP)); err != nil {
			t.Fatal(err)
		}
		list := manyCodes(t, byte(seed))
		if _, err := w.a.Confirm(w.with(list), id, code(t, k, w.now)); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
	}
	for i := range 100 {
		w.a.SpendChallenge(w.moment(), account.Challenge{
			ID: account.ChallengeID{byte(i)}, Issued: w.now, Expires: w.now.Add(10 * time.Minute),
		}, account.TOTP, true)
		if err := w.a.Replace(w.moment(), manyCodes(t, byte(i)), long); err != nil {
			t.Fatal(err)
		}
		// The texts of administrators are the longest.
		by := account.Admin{Actor: strings.Repeat("a", account.MaxActor), Reason: strings.Repeat("r", account.MaxReason)}
		must(t, w.a.Note(w.moment(), account.EventBypassGranted, by))
		must(t, w.a.Note(w.moment(), account.EventExported, by))
		w.now = w.now.Add(time.Second)
	}
	replaces := w.a.Authenticators()[0].ID
	secret, err := totp.NewSecret(bytes.Repeat([]byte{9}, totp.MaxSecretSize))
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.a.Begin(w.at(), account.Setup{
		ID: account.SetupID{9}, Expires: w.now.Add(time.Hour), Replaces: replaces,
		Label:         totp.Label{Issuer: strings.Repeat("i", totp.MaxIssuer), Account: strings.Repeat("a", totp.MaxAccount)},
		Authenticator: account.Authenticator{ID: account.AuthenticatorID{9}, Key: k, Name: long},
	}, account.TicketHash{}, w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	b := encode(t, w.a)
	if len(b) > account.MaxEncoded {
		t.Fatalf("%d bytes", len(b))
	}
	a, err := account.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	history, err := a.History()
	if err != nil {
		t.Fatal(err)
	}
	outbox, err := a.Outbox()
	if err != nil {
		t.Fatal(err)
	}
	left, _, _ := a.CodesLeft()
	if len(outbox) != account.MaxUndelivered || left != 32 || len(a.Authenticators()) != 3 || a.Setup() == nil {
		t.Errorf("%d undelivered, %d codes, %d authenticators: something but history made room", len(outbox), left, len(a.Authenticators()))
	}
	if len(history) == account.MaxHistory {
		t.Error("nothing had to make room")
	}
	t.Logf("%d bytes with %d events of history", len(b), len(history))
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "v1-*.hex"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := account.Decode(bytes.Clone(b))
		if err != nil {
			if a != nil {
				t.Fatal("an account comes with the error")
			}
			return
		}
		if touch(t, a) != nil {
			return
		}
		first, err := a.Encode()
		if err != nil {
			return
		}
		if a, err = account.Decode(bytes.Clone(first)); err != nil {
			t.Fatalf("what was encoded does not decode: %v", err)
		}
		if err := touch(t, a); err != nil {
			t.Fatal(err)
		}
		if second := encode(t, a); !bytes.Equal(first, second) {
			t.Fatalf("not stable:\n%x\n%x", first, second)
		}
	})
}
