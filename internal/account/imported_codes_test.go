package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

func TestCheckImported(t *testing.T) {
	t.Parallel()
	many := func(n, cost int) (list []account.ImportedCode) {
		for i := range n {
			list = append(list, bcryptCode(cost, byte(i)))
		}
		return list
	}
	text := func(s string) []account.ImportedCode {
		return []account.ImportedCode{{Scheme: account.ImportedBcrypt, Hash: []byte(s)}}
	}
	rest := strings.Repeat("a", 53)
	tests := []struct {
		name string
		list []account.ImportedCode
		ok   bool
	}{
		{"none", nil, true},
		{"sixteen of cost 10", many(16, 10), true},
		{"seventeen of cost 4", many(17, 4), false},
		{"eight of cost 11", many(8, 11), true},
		{"nine of cost 11", many(9, 11), false},
		{"four of cost 12", many(4, 12), true},
		{"five of cost 12", many(5, 12), false},
		{"one of cost 14", many(1, 14), true},
		{"one of cost 15", many(1, 15), false},
		{"one of cost 31", many(1, 31), false},
		{"one of cost 32", many(1, 32), false},
		{"one of cost 99", many(1, 99), false},
		{"one of cost 3", many(1, 3), false},
		{"SHA-256", []account.ImportedCode{importedCode("a"), importedCode("b")}, true},
		{"both", append(many(4, 10), importedCode("a")), true},
		{"one twice", []account.ImportedCode{importedCode("a"), importedCode("b"), importedCode("a")}, false},
		{"short SHA-256", []account.ImportedCode{{Scheme: account.ImportedSHA256, Hash: make([]byte, 31)}}, false},
		{"no scheme", []account.ImportedCode{{Hash: make([]byte, 32)}}, false},
		{"unknown scheme", []account.ImportedCode{{Scheme: 3, Hash: make([]byte, 32)}}, false},
		{"2a", text("$2a$10$" + rest), true},
		{"2y", text("$2y$10$" + rest), true},
		{"2x", text("$2x$10$" + rest), false},
		{"without a letter", text("$2$10$" + rest + "a"), false},
		{"another function", text("$5$10$." + rest), false},
		{"no digits", text("$2b$1a$" + rest), false},
		{"no separator", text("$2b$10." + rest), false},
		{"a sign", text("$2b$-9$" + rest), false},
		{"another symbol", text("$2b$10$" + rest[1:] + "+"), false},
		{"not ASCII", text("$2b$10$" + rest[2:] + "é"), false},
		{"too short", text("$2b$10$" + rest[1:]), false},
		{"too long", text("$2b$10$" + rest + "a"), false},
		{"empty", text(""), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := account.CheckImported(tt.list); (err == nil) != tt.ok {
				t.Fatalf("CheckImported = %v", err)
			}
			if len(tt.list) == 0 {
				return
			}
			// What can't be imported is not believed of a record either.
			w := newWorld(t)
			if err := w.a.Import(w.moment(), []account.Authenticator{imported(key(t, 7), 7)}, tt.list, true, admin); err != nil {
				t.Fatal(err)
			}
			w.reload()
			if _, err := account.ImportedCodes(w.a); (err == nil) != tt.ok || err != nil && !errors.Is(err, account.ErrDamaged) {
				t.Errorf("read back: %v", err)
			}
			_, err := w.a.Check(w.moment(), account.Guess{})
			if tt.ok {
				w.needs(err, account.NeedImported)
			} else if !errors.Is(err, account.ErrDamaged) {
				t.Errorf("checked: %v, want ErrDamaged", err)
			}
		})
	}
}

// Which texts are taken for what.
func TestImportedReading(t *testing.T) {
	t.Parallel()
	with := []account.ImportedCode{importedCode("one")}
	tests := []struct {
		name   string
		codes  []account.ImportedCode
		factor account.Factor
		digits string
		want   account.Factor // NoFactor: malformed
	}{
		{"as many digits as the app", with, account.TOTP, "123456", account.TOTP},
		{"more digits", with, account.TOTP, "12345678", account.Recovery},
		{"in the form of our own codes", with, account.Recovery, "", account.Recovery},
		{"anything", with, account.NoFactor, "", account.Recovery},
		{"anything, without imported codes", nil, account.NoFactor, "", account.NoFactor},
		{"more digits, without imported codes", nil, account.TOTP, "12345678", account.NoFactor},
		{"in the form of our own codes, without imported codes", nil, account.Recovery, "", account.Recovery},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, _ := moved(t, tt.codes...)
			_, err := w.try(tt.factor, tt.digits, -1)
			var r *account.Refusal
			switch {
			case !errors.As(err, &r):
				t.Fatal(err)
			case tt.want == account.NoFactor:
				mustReason(t, err, account.MalformedCode)
				if w.a.Changed() {
					t.Error("it was counted")
				}
			case r.Reason != account.WrongCode || r.Factor != tt.want:
				t.Errorf("it was taken for factor %d: %s", r.Factor, r.Reason)
			}
		})
	}
}

func TestImportedCodeWorksOnce(t *testing.T) {
	t.Parallel()
	w, _ := moved(t, importedCode("one"), importedCode("two"), bcryptCode(4, 0))
	// Some guesses at the app, which a recovery code makes up for.
	for range 5 {
		mustReason(t, w.check(w.wrong()), account.WrongCode)
	}
	w.begin(33, account.AuthenticatorID{})
	epoch := w.a.Epoch()
	_, err := w.a.Check(w.moment(), account.Guess{})
	if need := w.needs(err, account.NeedImported); len(need.Imported) != 3 {
		t.Errorf("%d codes to hold it against", len(need.Imported))
	}
	// What was held against another list says nothing.
	other := w.moment()
	other.Prepared.Imported = &account.ImportedTry{Match: 1}
	_, err = w.a.Check(other, account.Guess{})
	w.needs(err, account.NeedImported)
	match, err := w.try(account.NoFactor, "", 1)
	if err != nil || match != (account.Match{Factor: account.Recovery}) {
		t.Fatalf("got %+v, %v", match, err)
	}
	w.reload()
	if w.a.Epoch() == epoch || w.a.Setup() != nil {
		t.Error("what was handed out before is not void")
	}
	if left, of, err := w.a.CodesLeft(); left != 2 || of != 3 || err != nil {
		t.Errorf("%d of %d left, %v", left, of, err)
	}
	if _, locked := w.a.LockedUntil(account.TOTP, w.now); locked {
		t.Error("the app is still locked")
	}
	history, err := w.a.History()
	if err != nil || history[len(history)-1].Kind != account.EventRecoveryUsed {
		t.Errorf("no event, %v", err)
	}
	// A used one is told from a wrong one, and counted like it.
	for range 5 {
		_, err = w.try(account.NoFactor, "", 1)
		mustReason(t, err, account.Replayed)
	}
	if retryAt(err).IsZero() {
		t.Error("five used codes don't begin a wait")
	}
	_, err = w.try(account.NoFactor, "", 0)
	mustReason(t, err, account.Locked)
	if _, err := w.a.Check(w.moment(), account.Guess{}); reason(err) != account.Locked {
		t.Errorf("while locked something is derived: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	for _, i := range []int{-1, 3, 1 << 20} {
		_, err = w.try(account.NoFactor, "", i)
		mustReason(t, err, account.WrongCode)
		w.now = w.now.Add(time.Minute)
	}
	for _, i := range []int{0, 2} {
		_, err = w.try(account.Recovery, "", i)
		mustReason(t, err, "")
		w.reload()
	}
	if left, _, _ := w.a.CodesLeft(); left != 0 {
		t.Errorf("%d left", left)
	}
}

// A clock that shows nothing at all must not leave a code unused.
func TestImportedCodeAtZeroTime(t *testing.T) {
	t.Parallel()
	for _, now := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)} {
		w, _ := moved(t, importedCode("one"))
		w.now = now
		_, err := w.try(account.NoFactor, "", 0)
		mustReason(t, err, "")
		w.reload()
		_, err = w.try(account.NoFactor, "", 0)
		mustReason(t, err, account.Replayed)
	}
}

// As long as some are left, a second phone makes no set; then one takes the
// place of all, as RenewCodes does at once.
func TestImportedCodesGiveWay(t *testing.T) {
	t.Parallel()
	w, _ := moved(t, importedCode("one"))
	k := key(t, 60)
	id := w.begin(60, account.AuthenticatorID{})
	came, err := w.a.Confirm(w.moment(), id, code(t, k, w.now))
	if err != nil || came.NewCodes {
		t.Fatalf("with a code left: %+v, %v", came, err)
	}
	w.reload()
	_, err = w.try(account.NoFactor, "", 0)
	mustReason(t, err, "")
	w.reload()
	k = key(t, 90)
	id = w.begin(90, account.AuthenticatorID{})
	_, set := codes(t, 1)
	_, err = w.a.Confirm(w.moment(), id, code(t, k, w.now))
	w.needs(err, account.NeedSet)
	w.reload()
	id = w.begin(91, account.AuthenticatorID{})
	if came, err = w.a.Confirm(w.with(set), id, code(t, key(t, 91), w.now)); err != nil || !came.NewCodes {
		t.Fatalf("%+v, %v", came, err)
	}
	w.reload()
	if list, err := account.ImportedCodes(w.a); len(list) > 0 || err != nil {
		t.Errorf("%d are left, %v", len(list), err)
	}

	w, _ = moved(t, importedCode("one"), importedCode("two"))
	if _, err := w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if left, of, _ := w.a.CodesLeft(); left != 10 || of != 10 {
		t.Errorf("%d of %d codes", left, of)
	}
	m := w.moment()
	m.Prepared.Imported = new(account.ImportedTry)
	_, err = w.a.Check(m, account.Guess{})
	mustReason(t, err, account.MalformedCode)
}

// What codes of another system carry is not known, so that guessing at them has
// a budget in the long run, which the app does not share.
func TestImportedBudget(t *testing.T) {
	t.Parallel()
	w, k := moved(t, importedCode("aaaa-bbbb"), importedCode("cccc-dddd"))
	begun := w.now
	var last error
	for n := range 30 {
		_, last = w.try(account.Recovery, "", -1)
		if mustReason(t, last, account.WrongCode); n < 29 {
			w.now = w.now.Add(time.Minute) // as long as any wait
		}
		w.reload()
	}
	// Since the first one, not one unit has come back.
	until := begun.Add(day)
	if at := retryAt(last); !at.Equal(until) {
		t.Errorf("the thirtieth: try again in %v, want %v", at.Sub(w.now), until.Sub(w.now))
	}
	for _, match := range []int{-1, 0} { // also the right one
		_, err := w.try(account.Recovery, "", match)
		mustReason(t, err, account.Locked)
		if !retryAt(err).Equal(until) || w.a.Changed() {
			t.Errorf("code %d: try again at %v, changed: %v", match, retryAt(err), w.a.Changed())
		}
	}
	if at, locked := w.a.LockedUntil(account.Recovery, w.now); !locked || !at.Equal(until) {
		t.Errorf("locked %v until %v", locked, at)
	}
	if _, locked := w.a.LockedUntil(account.TOTP, w.now); locked {
		t.Error("app codes are locked as well")
	}
	mustReason(t, w.check(code(t, k, w.now)), "")
	w.reload()
	if _, locked := w.a.LockedUntil(account.Recovery, w.now); !locked {
		t.Error("a code of the app refills the budget")
	}

	// One a day, and no more for having waited for the first.
	evaluated := 0
	for w.now.Before(until.Add(10*day - time.Hour)) {
		w.now = w.now.Add(time.Hour)
		w.reload()
		if _, err := w.try(account.Recovery, "", -1); reason(err) == account.WrongCode {
			evaluated++
		}
	}
	if evaluated != 10 {
		t.Errorf("%d were evaluated in ten days", evaluated)
	}
	// The right one, when a unit is back, ends the run and refills nothing.
	w.now = w.now.Add(day)
	w.reload()
	if _, err := w.try(account.Recovery, "", 0); err != nil {
		t.Fatal(err)
	}
	w.reload()
	_, err := w.try(account.Recovery, "", -1)
	mustReason(t, err, account.WrongCode)
	_, err = w.try(account.Recovery, "", -1)
	mustReason(t, err, account.Locked)
}

// A used code counts like a wrong one.
func TestImportedBudgetCountsUsedCodes(t *testing.T) {
	t.Parallel()
	w, _ := moved(t, importedCode("aaaa-bbbb"))
	if _, err := w.try(account.Recovery, "", 0); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		_, err := w.try(account.Recovery, "", 0)
		mustReason(t, err, account.Replayed)
		w.now = w.now.Add(time.Minute)
		w.reload()
	}
	_, err := w.try(account.Recovery, "", 0)
	mustReason(t, err, account.Locked)
}

// What ends it: a set of this library, whose codes have no budget, and an
// administrator.
func TestImportedBudgetEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world) error{
		"new codes": func(w *world) error {
			_, set := codes(w.t, 9)
			return second(w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)))
		},
		"an administrator": func(w *world) error { return w.a.Unlock(w.moment(), admin) },
		"a new phone, where all codes are used": func(w *world) error {
			must(w.t, account.UseImported(w.a, w.now))
			_, set := codes(w.t, 9)
			id := w.begin(9, account.AuthenticatorID{})
			return second(w.a.Confirm(w.with(set), id, code(w.t, key(w.t, 9), w.now)))
		},
	} {
		w, _ := moved(t, importedCode("aaaa-bbbb"))
		for range 30 {
			_, err := w.try(account.Recovery, "", -1)
			mustReason(t, err, account.WrongCode)
			w.now = w.now.Add(time.Minute)
			w.reload()
		}
		if _, locked := w.a.LockedUntil(account.Recovery, w.now); !locked {
			t.Fatalf("%s: not locked before", name)
		}
		must(t, end(w))
		w.reload()
		if _, locked := w.a.LockedUntil(account.Recovery, w.now); locked {
			t.Errorf("%s: still locked", name)
		}
		if name != "an administrator" {
			mustReason(t, w.recover(9, 0), "")
			for range 40 {
				mustReason(t, w.recover(9, 0), account.Replayed)
				w.now = w.now.Add(time.Minute)
				w.reload()
			}
			mustReason(t, w.recover(9, 1), "")
		}
	}
}
