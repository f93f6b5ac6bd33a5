package account_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The limits that package enrollment sets on what the core takes as it comes.
const (
	longestDevice = account.MaxName // bytes of a device's name
	longestMethod = 32              // bytes of a method of re-authentication
)

// longKey is a key with the longest secret there is.
func longKey(t *testing.T, seed byte) totp.Key {
	t.Helper()
	secret, err := totp.NewSecret(bytes.Repeat([]byte{seed}, totp.MaxSecretSize))
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(secret, totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// longCodes are as many of the longest codes as there can be, and their set.
func longCodes(t *testing.T, seed byte) (recovery.Codes, *account.FreshSet) {
	t.Helper()
	source := rand.NewChaCha8([32]byte{seed})
	list, err := recovery.Generate(source, recovery.MaxCount, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	from, err := recovery.NewDerivation(source, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	set, err := from.DeriveAll(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	return list, &account.FreshSet{Set: set, Codes: list, Keep: true, Counted: true}
}

// What recovery codes an account can hold at once. A setup shows codes where no
// unspent ones are left; and codes in clear are kept as long as some are.
const (
	ownKept        = iota // a set of its own, kept in clear
	ownSpent              // one that is spent, and a setup that shows another
	elsewhereSpent        // the same with codes of another system
)

// largest is an account with everything in use, each part as long as it gets.
func largest(t *testing.T, variant int) *account.Account {
	t.Helper()
	w := newWorld(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name := strings.Repeat("n", account.MaxName)
	by := account.Admin{Actor: strings.Repeat("a", account.MaxActor), Reason: strings.Repeat("r", account.MaxReason)}
	label := totp.Label{
		Issuer: strings.Repeat("i", totp.MaxIssuer), Account: strings.Repeat("a", totp.MaxAccount),
		Image: "https://e.example/" + strings.Repeat("x", totp.MaxImage-18),
	}
	address := account.Address{Channel: strings.Repeat("c", account.MaxChannel), To: strings.Repeat("t", account.MaxAddress)}
	app := func(seed byte) account.Authenticator {
		return account.Authenticator{ID: account.AuthenticatorID{seed}, Key: longKey(t, seed), Name: name}
	}
	_, list := longCodes(t, 1)
	shown, _ := longCodes(t, 2)
	if variant == ownKept {
		shown = recovery.Codes{}
	}

	// It came from another user id, as long as one gets.
	claim, id := account.New(w.moment()), account.MoveID{1}
	claim.Claim(w.moment(), id, strings.Repeat("f", 255))
	w.a.Depart(w.moment(), id, "u")
	must(claim.Arrive(w.moment(), w.a, by))
	w.a = claim

	// A mark of an authenticator that is gone, then three, used.
	must(w.a.Import(w.moment(), []account.Authenticator{app(9)}, nil, true, by))
	must(w.a.Disable(w.moment(), w.reauth(strings.Repeat("m", longestMethod))))
	must(w.a.Import(w.moment(), []account.Authenticator{app(1), app(2), app(3)}, nil, true, by))
	must(w.a.CountSet(w.moment()))
	w.now = w.now.Add(time.Hour)
	for _, x := range w.a.Authenticators() {
		must(w.check(code(t, x.Key, w.now)))
	}

	// An address, and another one that waits for its code.
	for i := range 2 {
		d := account.NewDelivery(account.DeliveryID{1, byte(i)}, "123456", w.now)
		must(w.a.Bind(w.moment(), d, address, true, account.TicketHash{}, w.by(account.TOTP)))
		if i == 0 {
			_, err := w.a.ConfirmAddress(w.with(list), account.Guess{Factor: account.Delivered, Digits: "123456", Delivery: d.ID}, false)
			must(err)
			w.now = w.now.Add(time.Hour)
			continue
		}
		_, err := w.a.ConfirmAddress(w.with(list), account.Guess{Factor: account.Delivered, Digits: "000000", Delivery: d.ID}, false)
		mustReason(t, err, account.WrongCode)
	}

	// A pending setup, with codes.
	must(w.a.Begin(w.at(), account.Setup{
		ID: account.SetupID{9}, Expires: w.now.Add(time.Hour), Replaces: account.AuthenticatorID{1},
		Label: label, Authenticator: app(4), Codes: shown,
	}, account.TicketHash{}, w.by(account.TOTP)))
	_, err := w.a.Confirm(w.with(list), account.SetupID{9}, "00000000")
	mustReason(t, err, account.WrongCode)

	for i := range account.MaxDevices {
		hash := account.DeviceHash{1, byte(i)}
		m := w.moment()
		m.Limits.Devices = account.MaxDevices
		must(second(w.a.Trust(m, account.Device{
			ID: account.DeviceID{1, byte(i)}, Hash: hash, Name: strings.Repeat("d", longestDevice),
		}, w.by(account.TOTP).Receipt)))
		by, err := w.waive(hash)
		must(err)
		if by != account.TrustedDevice {
			t.Fatal("the device is not trusted")
		}
	}
	for i := range 20 {
		w.a.SpendChallenge(w.moment(), account.Challenge{
			ID: account.ChallengeID{byte(i)}, Issued: w.now, Expires: w.now.Add(10 * time.Minute),
		}, account.TOTP, true)
	}
	mustReason(t, w.check("00000000"), account.WrongCode)
	_, err = w.a.Check(w.moment(), account.Guess{Factor: account.Recovery, Scheme: recovery.Argon2id})
	mustReason(t, err, account.WrongCode)
	switch variant {
	case ownSpent:
		w.a.DropKept()
	case elsewhereSpent:
		var codes []account.ImportedCode
		for i := range account.MaxImported {
			codes = append(codes, bcryptCode(10, byte(i)))
			codes[i].Used = w.now
		}
		account.PutImported(w.a, codes)
	}
	_, err = w.a.AskReset(w.moment(), 24*time.Hour, true)
	must(err)
	must(w.a.Grant(w.moment(), w.now.Add(time.Hour), by))

	// An alert that is open.
	m := w.moment()
	m.Origin = strings.Repeat("o", account.MaxOrigin)
	_, err = w.a.Answer(m, w.a.NewChallenge(account.ChallengeID{77}, w.now.Add(time.Second)), account.Guess{Factor: account.TOTP, Digits: "00000000"}, true)
	mustReason(t, err, account.WrongCode)

	// One event of every kind that nobody has taken, twice.
	for range 2 {
		for kind := account.EventEnabled; kind < account.EventKinds; kind++ {
			m := w.moment()
			m.Origin = strings.Repeat("o", account.MaxOrigin)
			must(w.a.Note(m, kind, by))
		}
		_, err = w.a.Lease(w.moment())
		must(err)
	}
	w.a.Stamp(w.moment())
	return w.a
}

// A decision must never fail for lack of room: not with everything in use at
// once. What makes room then is history and texts of events alone.
func TestRecordSize(t *testing.T) {
	t.Parallel()
	typical := newWorld(t)
	k := typical.enroll(1)
	for range 3 {
		mustReason(t, typical.check(code(t, k, typical.now)), "")
		typical.a.SpendChallenge(typical.moment(), account.Challenge{
			ID: account.ChallengeID{byte(typical.drawn)}, Epoch: typical.a.Epoch(), Issued: typical.now, Expires: typical.now.Add(10 * time.Minute),
		}, account.TOTP, true)
		typical.now = typical.now.Add(time.Minute)
	}
	mustReason(t, typical.recover(1, 2), "")
	typical.a.Stamp(typical.moment())
	n := len(encode(t, typical.a))
	t.Logf("typical, with 2 events: %d bytes", n)
	if n > 1024-128 {
		t.Errorf("a typical account takes %d bytes before it is sealed", n)
	}

	for name, variant := range map[string]int{
		"a set that is kept": ownKept, "a set that is spent": ownSpent, "codes of another system": elsewhereSpent,
	} {
		a := largest(t, variant)
		whole := account.WholeLen(a)
		b := encode(t, a)
		history, err := a.History()
		if err != nil {
			t.Fatal(err)
		}
		account.ShedAll(a)
		least := account.WholeLen(a)
		t.Logf("%s: %d bytes with everything, %d as it is stored (%d events of history), %d at the least of %d",
			name, whole, len(b), len(history), least, account.MaxEncoded)
		if least > account.MaxEncoded {
			t.Errorf("%s: %d bytes don't fit", name, least)
		}
		read, err := account.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := touch(t, read); err != nil {
			t.Fatal(err)
		}
	}
}

// No more is given up than there has to be: with one entry more the account would be too
// long.
func TestRoomIsMadeEntryByEntry(t *testing.T) {
	t.Parallel()
	for _, n := range []int{60, 61} {
		a := largest(t, ownKept)
		account.ShedAll(a)
		whole := make([]account.Event, n)
		for i := range whole {
			whole[i] = account.Event{Kind: account.EventExported, At: time.Unix(int64(i), 0), Reason: strings.Repeat("r", account.MaxReason)}
		}
		account.PutHistory(a, slices.Clone(whole))
		encode(t, a)
		kept, err := a.History()
		if err != nil {
			t.Fatal(err)
		}
		if len(kept) == 0 || len(kept) == n {
			t.Fatalf("%d of %d entries are kept", len(kept), n)
		}
		account.PutHistory(a, whole[n-len(kept)-1:])
		if long := account.WholeLen(a); long <= account.MaxEncoded {
			t.Errorf("%d of %d entries are kept, and one more makes %d bytes of %d", len(kept), n, long, account.MaxEncoded)
		}
	}
}

// What is damaged makes no room: the account is damaged, and not too large.
func TestDamageMakesNoRoom(t *testing.T) {
	t.Parallel()
	a := largest(t, ownKept)
	account.DamageHistory(a)
	if b, err := a.Encode(); !errors.Is(err, account.ErrDamaged) {
		t.Errorf("%d bytes, %v, want ErrDamaged", len(b), err)
	}
}

// Each text of an event that waits makes room, whatever else the event says.
func TestEveryTextMakesRoom(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]account.Event{
		"reason": {Reason: "x"}, "actor": {Actor: "x"}, "name": {Name: "x"}, "method": {Method: "x"}, "origin": {Origin: "x"},
	} {
		w := newWorld(t)
		account.PutOutbox(w.a, []account.Undelivered{{Event: e}})
		account.ShedAll(w.a)
		outbox, err := w.a.Outbox()
		if err != nil || len(outbox) != 1 {
			t.Fatal(outbox, err)
		}
		if left := outbox[0].Event; left.Reason+left.Actor+left.Name+left.Method+left.Origin != "" {
			t.Errorf("the %s stays: %+v", name, left)
		}
	}
}
