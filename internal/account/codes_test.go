package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// keeping is an account that keeps its recovery codes in clear.
func keeping(t *testing.T) (*world, recovery.Codes) {
	t.Helper()
	w := newWorld(t)
	id := w.begin(1, account.AuthenticatorID{})
	list, set := codes(t, 1)
	set.Codes, set.Keep = list, true
	if _, err := w.a.Confirm(w.with(set), id, code(t, key(t, 1), w.now)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.reload()
	return w, list
}

// spare is a fresh code for a set of codes(seed).
func spare(t *testing.T, seed byte, draw byte) *account.FreshCode {
	t.Helper()
	source := constant(draw)
	c, err := recovery.NewCode(&source, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	_, set := codes(t, seed)
	digest, err := set.Set.Derivation().Derive(c)
	if err != nil {
		t.Fatal(err)
	}
	return &account.FreshCode{Code: c, Digest: digest}
}

// spend uses a code of the set of codes(seed) up, and replaces it if there is a
// spare.
func (w *world) spend(seed byte, c recovery.Code, replenish bool, fresh *account.FreshCode) (account.Match, error) {
	w.t.Helper()
	_, set := codes(w.t, seed)
	digest, err := set.Set.Derivation().Derive(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.a.Check(w.derived(set, digest, fresh), account.Guess{
		Factor: account.Recovery, Scheme: c.Scheme(), Replenish: replenish,
	})
}

func all(c recovery.Codes) []recovery.Code { return slices.Collect(c.All()) }

// shown are the codes that Show returns.
func (w *world) shown() []string {
	w.t.Helper()
	got, err := w.a.Show(w.moment(), w.by(account.TOTP))
	if err != nil {
		w.t.Fatal(err)
	}
	return got.Reveal()
}

func TestReplenish(t *testing.T) {
	t.Parallel()
	w, list := keeping(t)
	third := all(list)[2]

	// A wrong code asks for no spare, and neither does one without the wish.
	source := constant(99)
	wrong, err := recovery.NewCode(&source, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.spend(1, wrong, true, nil)
	mustReason(t, err, account.WrongCode)
	w.reload()

	before := encode(t, w.a)
	_, err = w.spend(1, third, true, nil)
	need := w.needs(err, account.NeedDigest)
	_, set := codes(t, 1)
	for i, c := range []recovery.Code{third, wrong} {
		digest, err := set.Set.Derivation().Derive(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := need.Replaces(digest); got != (i == 0) {
			t.Errorf("code %d: a spare is asked for: %t", i, got)
		}
	}
	if w.a.Changed() || string(encode(t, w.a)) != string(before) {
		t.Fatal("the account has changed before there was a spare")
	}
	fresh := spare(t, 1, 50)
	match, err := w.spend(1, third, true, fresh)
	if err != nil || match != (account.Match{Factor: account.Recovery, Replenished: true}) {
		t.Fatalf("got %+v, %v", match, err)
	}
	w.reload()
	if left, of, _ := w.a.CodesLeft(); left != 10 || of != 10 {
		t.Errorf("%d of %d left", left, of)
	}
	// It stands in the place of the old one, which is dead.
	want := list.Reveal()
	want[2] = fresh.Code.Reveal()
	if got := w.shown(); !slices.Equal(got, want) {
		t.Errorf("kept are %v, want %v", got, want)
	}
	_, err = w.spend(1, third, true, nil)
	mustReason(t, err, account.WrongCode)
	match, err = w.spend(1, fresh.Code, false, nil)
	if err != nil || match != (account.Match{Factor: account.Recovery}) {
		t.Fatalf("the fresh code: %+v, %v", match, err)
	}
	w.reload()
	if left, _, _ := w.a.CodesLeft(); left != 9 {
		t.Errorf("%d left", left)
	}
	_, err = w.spend(1, fresh.Code, true, nil)
	mustReason(t, err, account.Replayed)
}

// A source of randomness that repeats itself must not bring a code back.
func TestReplenishRepeats(t *testing.T) {
	t.Parallel()
	w, list := keeping(t)
	first := all(list)[0]
	_, set := codes(t, 1)
	for _, again := range all(list)[:2] {
		digest, err := set.Set.Derivation().Derive(again)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.spend(1, first, true, &account.FreshCode{Code: again, Digest: digest})
		if err == nil || reason(err) != "" {
			t.Fatalf("got %v, want an error that is no answer", err)
		}
		w.reload()
	}
	if left, _, _ := w.a.CodesLeft(); left != 10 {
		t.Errorf("%d left", left)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	w, list := keeping(t)
	for _, i := range []int{9, 0, 4} {
		if _, err := w.spend(1, all(list)[i], false, nil); err != nil {
			t.Fatal(err)
		}
		w.reload()
	}
	want := list.Reveal()
	want = append(slices.Clone(want[1:4]), want[5:9]...)
	if got := w.shown(); !slices.Equal(got, want) {
		t.Errorf("shown are %v, want %v", got, want)
	}
	events := w.a.Recorded()
	if len(events) != 1 || events[0].Kind != account.EventCodesShown || events[0].Factor != account.TOTP || !w.a.Changed() {
		t.Errorf("events %+v", events)
	}

	// A set that was made without keeping it replaces what was kept.
	_, set := codes(t, 2)
	if _, err := w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if n := account.Kept(w.a); n != 0 {
		t.Errorf("%d codes of the earlier set are kept", n)
	}
	mustReason(t, second(w.a.Show(w.moment(), w.by(account.TOTP))), account.CodesNotKept)

	// None left is nothing to show.
	w, list = keeping(t)
	for _, c := range all(list) {
		if _, err := w.spend(1, c, false, nil); err != nil {
			t.Fatal(err)
		}
		w.reload()
	}
	mustReason(t, second(w.a.Show(w.moment(), w.by(account.TOTP))), account.CodesNotKept)
	if n := account.Kept(w.a); n != 0 {
		t.Errorf("%d spent codes are kept", n)
	}

	w = newWorld(t)
	mustReason(t, second(w.a.Show(w.moment(), w.by(account.TOTP))), account.NotEnrolled)
	w, _ = keeping(t)
	if err := w.a.Disable(w.moment(), w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	if n := account.Kept(w.a); n != 0 {
		t.Errorf("%d codes are kept of an account that is disabled", n)
	}
}

// A host that keeps them no more: nothing is written for it, and nothing of
// them is left by the next write, also of one that replaces a code.
func TestDropKept(t *testing.T) {
	t.Parallel()
	w, list := keeping(t)
	w.a.DropKept()
	if w.a.Changed() {
		t.Error("that alone is a change")
	}
	mustReason(t, second(w.a.Show(w.moment(), w.by(account.TOTP))), account.CodesNotKept)
	fresh := spare(t, 1, 50)
	if _, err := w.spend(1, all(list)[0], true, fresh); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if n := account.Kept(w.a); n != 0 {
		t.Errorf("%d codes are kept", n)
	}
	if left, _, _ := w.a.CodesLeft(); left != 10 {
		t.Errorf("%d left", left)
	}
}

// beginWith begins a setup that shows codes.
func (w *world) beginWith(seed byte, shown recovery.Codes) account.SetupID {
	w.t.Helper()
	id := w.begin(seed, account.AuthenticatorID{})
	w.a.Setup().Codes = shown
	w.reload()
	return id
}

func TestSetupShowsCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list, set := codes(t, 1)
	shows := func(want bool) {
		t.Helper()
		a, s := w.copied(), w.setup(77, account.AuthenticatorID{})
		s.Codes = list
		if err := a.Begin(w.at(), s, account.TicketHash{}, w.by(account.TOTP)); err != nil {
			t.Fatal(err)
		}
		if got := a.Setup().Codes.Len() > 0; got != want {
			t.Errorf("a setup shows codes: %t, want %t", got, want)
		}
	}
	shows(true)
	id := w.beginWith(1, list)
	if got := w.a.Setup().Codes.Reveal(); !slices.Equal(got, list.Reveal()) {
		t.Errorf("the setup has %v, want %v", got, list.Reveal())
	}
	if left, of, _ := w.a.CodesLeft(); left != 0 || of != 0 {
		t.Errorf("%d of %d codes before the confirmation", left, of)
	}
	mustReason(t, second(w.a.Show(w.moment(), w.by(account.TOTP))), account.NotEnrolled)
	if _, err := w.a.Confirm(w.with(set), id, code(t, key(t, 1), w.now)); err != nil {
		t.Fatal(err)
	}
	w.reload()
	shows(false)
	if left, _, _ := w.a.CodesLeft(); left != 10 || w.a.Setup() != nil {
		t.Errorf("%d codes left", left)
	}
	for _, c := range all(list) {
		if _, err := w.spend(1, c, false, nil); err != nil {
			t.Fatal(err)
		}
		w.reload()
	}
	shows(true)
	for range 4 { // the first was made with the account
		if err := w.a.CountSet(w.moment()); err != nil {
			t.Fatal(err)
		}
	}
	shows(false)
	w.now = w.now.Add(24 * time.Hour)
	shows(true)
}

// What was shown becomes valid with the confirmation, or there is none: an
// account that may make no more sets today does not confirm without them.
func TestSetupKeepsItsWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	list, _ := codes(t, 1)
	for _, c := range all(list) {
		if _, err := w.spend(1, c, false, nil); err != nil {
			t.Fatal(err)
		}
		w.reload()
	}
	shown, set := codes(t, 60)
	id := w.beginWith(60, shown)
	for range 4 { // the first was made with the account
		if err := w.a.CountSet(w.moment()); err != nil {
			t.Fatal(err)
		}
	}
	w.reload()
	mustReason(t, w.a.CountSet(w.moment()), account.TooManyCodeSets) // nor is one made in vain
	if w.a.Changed() {
		t.Error("it was counted all the same")
	}
	_, err := w.a.Confirm(w.moment(), id, code(t, key(t, 60), w.now))
	mustReason(t, err, account.TooManyCodeSets)
	if retryAt(err).IsZero() || w.a.Changed() || len(w.a.Authenticators()) != 1 {
		t.Errorf("it was confirmed all the same, or changed: %v", err)
	}
	set.Counted = true // the one that was paid for
	if came, err := w.a.Confirm(w.with(set), id, code(t, key(t, 60), w.now)); err != nil || !came.NewCodes {
		t.Errorf("with the set: %+v, %v", came, err)
	}
}

// The codes of a setup that came to nothing never work.
func TestSetupCodesDie(t *testing.T) {
	t.Parallel()
	_, set := codes(t, 1)
	for name, end := range map[string]func(w *world) error{
		"cancelled":  func(w *world) error { return w.a.Cancel() },
		"superseded": func(w *world) error { w.begin(2, account.AuthenticatorID{}); return nil },
		"expired": func(w *world) error {
			w.now = w.now.Add(time.Hour)
			w.a.Tidy(account.Moment{Now: w.now})
			w.a.Touch()
			return nil
		},
		"reset": func(w *world) error { return w.a.Reset(w.moment(), admin, account.TicketHash{1}) },
		"imported over": func(w *world) error {
			return w.a.Import(w.moment(), []account.Authenticator{imported(key(w.t, 7), 7)}, nil, true, admin)
		},
		"a sweep of time": func(w *world) error {
			w.now = w.now.Add(1000 * time.Hour)
			w.a.Tidy(account.Moment{Now: w.now})
			w.a.Touch()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			list, _ := codes(t, 1)
			id := w.beginWith(1, list)
			if err := end(w); err != nil {
				t.Fatal(err)
			}
			w.reload()
			if w.a.Setup() != nil && w.a.Setup().Codes.Len() > 0 {
				t.Error("they are still there")
			}
			if _, err := w.a.Confirm(w.with(set), id, code(t, key(t, 1), w.now)); err == nil {
				t.Error("the setup can be confirmed")
			}
			if left, of, _ := w.a.CodesLeft(); left != 0 || of != 0 {
				t.Errorf("%d of %d codes", left, of)
			}
		})
	}
}

func TestCodesGolden(t *testing.T) {
	w, list := keeping(t)
	if _, err := w.spend(1, all(list)[3], true, spare(t, 1, 50)); err != nil {
		t.Fatal(err)
	}
	w.a.Stamp(w.moment())
	golden(t, "v1-kept", w.a)

	w = newWorld(t)
	shown, _ := codes(t, 1)
	w.beginWith(1, shown)
	w.a.Stamp(w.moment())
	golden(t, "v1-setup-codes", w.a)
}
