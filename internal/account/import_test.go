package account_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

var admin = account.Admin{Actor: "carol", Reason: "moving house"}

// keyWith is a key of the secret that key makes of the seed, of another kind.
func keyWith(t *testing.T, seed byte, p totp.Params) totp.Key {
	t.Helper()
	k, err := totp.NewKey(key(t, seed).Secret(), p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func imported(k totp.Key, seed byte) account.Authenticator {
	return account.Authenticator{ID: account.AuthenticatorID{seed}, Key: k, Name: "old phone"}
}

// importedCode is a code of the other system, by its SHA-256.
func importedCode(text string) account.ImportedCode {
	sum := sha256.Sum256([]byte(text))
	return account.ImportedCode{Scheme: account.ImportedSHA256, Hash: sum[:]}
}

// bcryptCode has the form of a hash of bcrypt of that cost. No text is known
// for it.
func bcryptCode(cost int, seed byte) account.ImportedCode {
	text := fmt.Sprintf("$2b$%02d$%s", cost, strings.Repeat(string(rune('a'+seed)), 53))
	return account.ImportedCode{Scheme: account.ImportedBcrypt, Hash: []byte(text)}
}

// moved is an account that was imported with one app and these codes.
func moved(t *testing.T, codes ...account.ImportedCode) (*world, totp.Key) {
	t.Helper()
	w := newWorld(t)
	k := key(t, 7)
	if err := w.a.Import(w.moment(), []account.Authenticator{imported(k, 7)}, codes, true, admin); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.reload()
	return w, k
}

// try holds place match against the list of imported codes; -1 is none.
func (w *world) try(factor account.Factor, digits string, match int) (account.Match, error) {
	w.t.Helper()
	list, err := account.ImportedCodes(w.a)
	if err != nil {
		w.t.Fatal(err)
	}
	m := w.moment()
	m.Prepared.Imported = &account.ImportedTry{List: account.ImportedList(list), Match: match}
	return w.a.Check(m, account.Guess{Factor: factor, Digits: digits, Replenish: true})
}

// What may have been used in the other system until now is refused, by a phone
// that is ahead as well, and the code after that is not, whatever the clock and
// the kind of code.
func TestImportFloor(t *testing.T) {
	t.Parallel()
	clocks := map[string]time.Time{
		"2026":                    start,
		"the first instant":       time.Unix(0, 0).UTC(),
		"before 1970":             time.Date(1969, 12, 31, 23, 59, 55, 0, time.UTC),
		"long before 1970":        time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
		"after 2106":              time.Date(2107, 5, 6, 7, 8, 9, 0, time.UTC),
		"at the change of a step": time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	for name, now := range clocks {
		for _, period := range []time.Duration{15, 30, 60, 120} {
			for _, algorithm := range []totp.Algorithm{totp.SHA1, totp.SHA256, totp.SHA512} {
				t.Run(fmt.Sprintf("%s, %ds, %v", name, period, algorithm), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.now = now
					k := keyWith(t, 1, totp.Params{Algorithm: algorithm, Period: period * time.Second, Digits: 8})
					if err := w.a.Import(w.moment(), []account.Authenticator{imported(k, 1)}, nil, true, admin); err != nil {
						t.Fatal(err)
					}
					w.reload()
					for _, steps := range []time.Duration{-1, 0, totp.LookAround} {
						c, err := k.Code(now.Add(steps * period * time.Second))
						if err != nil {
							continue // there are none before 1970
						}
						if err := w.check(c); err == nil {
							t.Errorf("the code of step %+d works", steps)
						}
					}
					// Long before 1970 the owner waits for the clock to be mended.
					next := now.Add((totp.LookAround + 1) * period * time.Second)
					if next.Unix() < int64(period) {
						next = time.Unix(int64(period), 0).UTC()
					}
					w.now = next
					mustReason(t, w.check(code(t, k, next)), "")
				})
			}
		}
	}
}

// A used step stays used when the same secret comes back, also as another kind
// of code: the mark is a time.
func TestImportKeepsUsed(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]totp.Params{
		"the same":           {},
		"another algorithm":  {Algorithm: totp.SHA512},
		"a longer period":    {Period: time.Minute},
		"a shorter period":   {Period: 15 * time.Second},
		"more digits":        {Digits: 8},
		"everything differs": {Algorithm: totp.SHA256, Period: 2 * time.Minute, Digits: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			k := w.enroll(1)
			ahead := w.now.Add(30 * time.Second)
			mustReason(t, w.check(code(t, k, ahead)), "")
			if err := w.a.Reset(w.moment(), admin, account.TicketHash{}); err != nil {
				t.Fatal(err)
			}
			w.reload()
			back := keyWith(t, 1, p)
			if err := w.a.Import(w.moment(), []account.Authenticator{imported(back, 1)}, nil, true, admin); err != nil {
				t.Fatal(err)
			}
			w.reload()
			next := w.now.Add(min(back.Params().Period, 30*time.Second))
			mustReason(t, w.check(code(t, back, next)), account.Replayed)
			w.now = w.now.Add(back.Params().Period + time.Minute)
			mustReason(t, w.check(code(t, back, w.now)), "")
		})
	}
}

// Import only creates, and what it refuses leaves everything as it was: a setup
// that waits, the demand for a ticket, a bypass.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	enrolled := func(w *world) { w.enroll(1) }
	waiting := func(w *world) {
		if err := w.a.Reset(w.moment(), admin, account.TicketHash{1}); err != nil {
			w.t.Fatal(err)
		}
		if err := w.a.Grant(w.moment(), w.now.Add(time.Hour), admin); err != nil {
			w.t.Fatal(err)
		}
		w.ticket = account.TicketHash{1}
		w.begin(2, account.AuthenticatorID{})
	}
	apps := func(t *testing.T, seeds ...byte) (list []account.Authenticator) {
		for i, seed := range seeds {
			list = append(list, imported(keyWith(t, seed, totp.Params{Digits: 6 + i%3}), byte(i+1)))
		}
		return list
	}
	tests := []struct {
		name    string
		prepare func(w *world)
		apps    func(t *testing.T) []account.Authenticator
		want    account.Reason
	}{
		{"over an account", enrolled, func(t *testing.T) []account.Authenticator { return apps(t, 50) }, account.AlreadyEnrolled},
		{"the secret that it holds", enrolled, func(t *testing.T) []account.Authenticator { return apps(t, 1) }, account.AlreadyEnrolled},
		{"four", waiting, func(t *testing.T) []account.Authenticator { return apps(t, 50, 80, 110, 140) }, account.TooManyAuthenticators},
		{"one secret twice", waiting, func(t *testing.T) []account.Authenticator { return apps(t, 50, 80, 50) }, account.DuplicateSecret},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.prepare(w)
			w.reload()
			before := encode(t, w.a)
			mustReason(t, w.a.Import(w.moment(), tt.apps(t), nil, true, admin), tt.want)
			if after := encode(t, w.a); w.a.Changed() || !bytes.Equal(before, after) {
				t.Error("the account has changed")
			}
		})
	}
}

func TestImportReplacesWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.a.Reset(w.moment(), admin, account.TicketHash{1}); err != nil {
		t.Fatal(err)
	}
	if err := w.a.Grant(w.moment(), w.now.Add(time.Hour), admin); err != nil {
		t.Fatal(err)
	}
	w.ticket = account.TicketHash{1}
	w.begin(7, account.AuthenticatorID{}) // with the very secret that is imported
	w.reload()
	epoch := w.a.Epoch()
	x := imported(key(t, 7), 1)
	x.Added = w.now.Add(time.Hour)
	y := imported(key(t, 90), 2)
	y.Added = w.now.Add(-1000 * time.Hour)
	z := imported(key(t, 120), 3)
	z.Added = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
	if err := w.a.Import(w.moment(), []account.Authenticator{x, y, z}, nil, true, admin); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if w.a.State() != account.Confirmed || w.a.Setup() != nil || w.a.Epoch() == epoch || w.a.Bypass(w.now) != (account.Bypass{}) {
		t.Error("something of before is left")
	}
	for i, want := range []time.Time{w.now, y.Added, w.now} {
		if got := w.a.Authenticators()[i].Added; !got.Equal(want) {
			t.Errorf("authenticator %d was added %v, want %v", i, got, want)
		}
	}
	history, err := w.a.History()
	if err != nil {
		t.Fatal(err)
	}
	e := history[len(history)-1]
	if e.Kind != account.EventImported || e.Actor != admin.Actor || e.Reason != admin.Reason {
		t.Errorf("the event is %+v", e)
	}
	if err := w.a.Disable(w.moment(), w.by(account.TOTP)); err != nil || w.a.State() != account.Disabled {
		t.Errorf("disabled it is in state %v, %v", w.a.State(), err)
	}
	if err := account.CheckTicket(w.a, account.TicketHash{}); err != nil {
		t.Errorf("a ticket is still asked for: %v", err)
	}
}

func TestImportedGolden(t *testing.T) {
	w, _ := moved(t, importedCode("one"), importedCode("two"), bcryptCode(10, 0), bcryptCode(4, 1))
	_, err := w.try(account.NoFactor, "", 1)
	mustReason(t, err, "")
	w.a.Stamp(w.moment())
	golden(t, "v1-imported", w.a)
}

// The list names hashes, used or not, in their order.
func TestImportedList(t *testing.T) {
	t.Parallel()
	list := []account.ImportedCode{importedCode("one"), importedCode("two"), bcryptCode(4, 0)}
	used := slices.Clone(list)
	used[1].Used = start
	if account.ImportedList(list) != account.ImportedList(used) {
		t.Error("a used code changes the list")
	}
	swapped := []account.ImportedCode{list[1], list[0], list[2]}
	for _, other := range [][]account.ImportedCode{nil, list[:2], swapped, append(slices.Clone(list), importedCode("three"))} {
		if account.ImportedList(other) == account.ImportedList(list) {
			t.Errorf("%d hashes look like %d", len(other), len(list))
		}
	}
}

// A program that is run twice must not bring back what was revoked meanwhile.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		lead  func(w *world) error
		again account.Reason // with again
		once  account.Reason // without
	}{
		"a new account": {func(*world) error { return nil }, "", ""},
		"a setup waits": {func(w *world) error { w.begin(3, account.AuthenticatorID{}); return nil }, "", ""},
		"bypassed":      {func(w *world) error { w.grant(time.Hour); return nil }, "", ""},
		"on":            {func(w *world) error { w.enroll(3); return nil }, account.AlreadyEnrolled, account.AlreadyEnrolled},
		"disabled": {func(w *world) error {
			w.enroll(3)
			return w.a.Disable(w.moment(), w.by(account.TOTP))
		}, "", account.WasEnrolled},
		"reset": {func(w *world) error {
			w.enroll(3)
			return w.a.Reset(w.moment(), admin, account.TicketHash{})
		}, "", account.WasEnrolled},
		"reset with a ticket": {func(w *world) error {
			w.enroll(3)
			return w.a.Reset(w.moment(), admin, account.TicketHash{1})
		}, "", account.WasEnrolled},
		"a ticket for a new account": {func(w *world) error {
			return w.a.Reset(w.moment(), admin, account.TicketHash{1})
		}, "", account.WasEnrolled},
	} {
		for _, again := range []bool{false, true} {
			want := x.once
			if again {
				want = x.again
			}
			w := newWorld(t)
			must(t, x.lead(w))
			w.reload()
			before := encode(t, w.a)
			err := w.a.Import(w.moment(), []account.Authenticator{imported(key(t, 7), 7)}, nil, again, admin)
			if reason(err) != want {
				t.Errorf("%s, again %v: %q, want %q", name, again, reason(err), want)
			}
			if err != nil && (w.a.Changed() || !bytes.Equal(encode(t, w.a), before)) {
				t.Errorf("%s, again %v: a refusal has changed something", name, again)
			}
		}
	}
}
