package account_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// completed is an account whose setup and renewal were completed a moment ago.
func completed(t *testing.T) (w *world, list recovery.Codes, set *account.FreshSet) {
	t.Helper()
	w = newWorld(t)
	w.enroll(1)
	list, set = codes(t, 9)
	r := account.Renewal{ID: account.SetupID{9}, Expires: w.now.Add(15 * time.Minute), Epoch: w.a.Epoch()}
	if _, err := w.a.Renew(w.with(set), r, w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	return w, list, set
}

// What hosts have stored must stay readable: this file never changes.
func TestGoldenFileOfCompleted(t *testing.T) {
	w, _, _ := completed(t)
	w.a.Stamp(w.moment())
	golden(t, "v1-completed", w.a)
}

// The same request again is told from one whose setup is gone, until ten minutes
// after its token has expired.
func TestCompletedIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	again := func(id byte) error { return second(w.a.Confirm(w.moment(), account.SetupID{id}, code(t, k, w.now))) }
	mustReason(t, again(1), account.AlreadyConfirmed)
	mustReason(t, again(2), account.NoSetup)
	_, err := w.a.FindSetup(account.SetupID{1})
	mustReason(t, err, account.AlreadyConfirmed)
	w.begin(3, account.AuthenticatorID{}) // a later setup, which is pending
	mustReason(t, again(1), account.AlreadyConfirmed)
	mustReason(t, again(2), account.SetupSuperseded)
	must(t, w.a.Cancel())
	mustReason(t, again(3), account.NoSetup)

	w.now = start.Add(15*time.Minute + account.RepeatTTL - time.Microsecond)
	w.reload()
	mustReason(t, again(1), account.AlreadyConfirmed)
	w.now = w.now.Add(time.Microsecond)
	w.reload()
	mustReason(t, again(1), account.NoSetup)
	if w.a.Changed() {
		t.Error("forgetting is no change that has to be saved")
	}
}

// Nothing was confirmed as far as anybody can tell once it is switched off.
func TestCompletedGoesWithTheFactors(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world) error{
		"disable": func(w *world) error { return w.a.Disable(w.moment(), w.by(account.TOTP)) },
		"reset": func(w *world) error {
			return w.a.Reset(w.moment(), account.Admin{Actor: "root"}, account.TicketHash{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, _ := completed(t)
			must(t, end(w))
			w.reload()
			_, err := w.a.FindSetup(account.SetupID{1})
			mustReason(t, err, account.NoSetup)
			_, err = w.a.RenewalCodes(w.moment(), account.SetupID{9}, nil)
			mustReason(t, err, account.NotEnrolled)
			w.enroll(2)
			_, err = w.a.RenewalCodes(w.moment(), account.SetupID{9}, nil)
			mustReason(t, err, account.RenewalInvalid)
		})
	}
}

// A renewal token makes one set, before the next change of factor and in time.
func TestRenewalIsForOnce(t *testing.T) {
	t.Parallel()
	w, _, set := completed(t)
	r := account.Renewal{ID: account.SetupID{9}, Expires: w.now.Add(15 * time.Minute), Epoch: w.a.Epoch()}
	renew := func(r account.Renewal) error { return second(w.a.Renew(w.with(set), r, w.by(account.TOTP))) }
	mustReason(t, renew(r), account.AlreadyRenewed)
	for name, r := range map[string]account.Renewal{
		"of an earlier epoch": {ID: account.SetupID{8}, Expires: w.now.Add(time.Minute), Epoch: account.Epoch{1}},
		"expired":             {ID: account.SetupID{8}, Expires: w.now, Epoch: w.a.Epoch()},
	} {
		if got := reason(renew(r)); got != account.RenewalInvalid {
			t.Errorf("%s: %q", name, got)
		}
	}
	r.ID = account.SetupID{8}
	must(t, renew(r))
}

// redraw asks for the codes of the renewal once more.
func redraw(w *world, list recovery.Codes) (recovery.Codes, error) {
	draw := func(n int, s recovery.Scheme) (recovery.Codes, error) {
		if n != list.Len() || s != list.Scheme() {
			return recovery.Codes{}, errors.New("other codes are asked for")
		}
		return list, nil
	}
	got, err := w.a.RenewalCodes(w.moment(), account.SetupID{9}, draw)
	if need := w.a.Need(); need.Kind == account.NeedDigest {
		digest, failed := need.From.Derive(need.Code)
		must(w.t, failed)
		m := w.moment()
		m.Prepared.Digest = &account.Derived{From: need.From, Digest: digest}
		got, err = w.copied().RenewalCodes(m, account.SetupID{9}, draw)
	}
	return got, err
}

// The codes are drawn again as long as they are those of the account, and none
// was used.
func TestCompletedCodes(t *testing.T) {
	t.Parallel()
	w, list, set := completed(t)
	got, err := redraw(w, list)
	must(t, err)
	if !slices.Equal(got.Reveal(), list.Reveal()) {
		t.Error("other codes come back")
	}
	others, _ := codes(t, 10) // a seed that is not theirs
	_, err = redraw(w, others)
	mustReason(t, err, account.CodesNotKept)
	reversed := slices.Collect(list.All())
	slices.Reverse(reversed)
	turned, err := recovery.JoinCodes(reversed...)
	must(t, err)
	_, err = redraw(w, turned)
	mustReason(t, err, account.CodesNotKept)

	for name, change := range map[string]func(w *world){
		"a used code": func(w *world) {
			must(w.t, second(w.spend(9, slices.Collect(list.All())[3], false, nil)))
		},
		"a used code that was replaced": func(w *world) {
			spare, _ := codes(w.t, 11)
			fresh := slices.Collect(spare.All())[0]
			digest, err := set.Set.Derivation().Derive(fresh)
			must(w.t, err)
			must(w.t, second(w.spend(9, slices.Collect(list.All())[3], true, &account.FreshCode{Code: fresh, Digest: digest})))
		},
		"other codes": func(w *world) {
			_, fresh := codes(w.t, 12)
			must(w.t, second(w.a.Renew(w.with(fresh), account.Renewal{}, w.by(account.TOTP))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, list, _ := completed(t)
			change(w)
			w.reload()
			_, err := redraw(w, list)
			mustReason(t, err, account.CodesNotKept)
		})
	}
}

// A mark that a broken clock has put far ahead is forgotten.
func TestCompletedUnderBrokenClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = start.Add(72 * time.Hour)
	w.enroll(1)
	w.now = start
	w.reload()
	if !w.a.Changed() {
		t.Error("the repair is not to be saved")
	}
	_, err := w.a.FindSetup(account.SetupID{1})
	mustReason(t, err, account.NoSetup)
}
