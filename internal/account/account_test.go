package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func TestRecoveryOfAnotherScheme(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	// Counted and answered without a derivation.
	_, err := w.a.Check(w.moment(), account.Guess{Factor: account.Recovery, Scheme: recovery.Argon2id})
	mustReason(t, err, account.WrongCode)
	if !w.a.Changed() {
		t.Error("the failure was not counted")
	}
}

func TestSpentRecoveryCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	mustReason(t, w.recover(1, 3), "")
	w.reload()
	if left, of, _ := w.a.CodesLeft(); left != 9 || of != 10 {
		t.Errorf("%d of %d codes are left, want 9 of 10", left, of)
	}
	mustReason(t, w.recover(1, 3), account.Replayed)
	w.reload()
	if left, _, _ := w.a.CodesLeft(); left != 9 {
		t.Errorf("%d codes are left, want 9", left)
	}
}

// Times that a broken clock has left behind do not lock anybody for longer
// than a day and the wait in force once it is mended, and the repair is stored.
func TestBrokenClockIsClamped(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{25 * time.Hour, 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		w := newWorld(t)
		k := w.enroll(1)
		right := w.now
		w.now = right.Add(ahead)
		mustReason(t, w.check(code(t, k, w.now)), "") // burns a step far ahead
		for range 6 {
			_ = w.check(w.wrong())
		}
		w.reload()

		w.now = right
		w.reload()
		if !w.a.Changed() {
			t.Fatalf("%v ahead: the repair is not stored", ahead)
		}
		err := w.check(code(t, k, w.now))
		mustReason(t, err, account.Locked)
		if wait := retryAt(err).Sub(w.now); wait > 2*time.Minute {
			t.Errorf("%v ahead: locked for %v", ahead, wait)
		}
		w.now = retryAt(err).Add(time.Minute)
		w.reload()
		if w.a.Changed() {
			t.Errorf("%v ahead: repaired twice", ahead)
		}
		mustReason(t, w.check(code(t, k, w.now)), "")
	}
}

// A clock that goes back a little, as between nodes, gives nothing away.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	for range 5 {
		_ = w.check(w.wrong())
	}
	end := w.now.Add(time.Minute)
	for _, back := range []time.Duration{time.Second, time.Minute, time.Hour, 23 * time.Hour} {
		w.now = end.Add(-time.Minute - back)
		w.reload()
		err := w.check(w.wrong())
		mustReason(t, err, account.Locked)
		if !retryAt(err).Equal(end) {
			t.Errorf("%v back: the lock ends at %v, want %v", back, retryAt(err), end)
		}
	}
	w.now = end.Add(time.Minute)
	mustReason(t, w.check(code(t, k, w.now)), "")
	w.now = w.now.Add(-time.Hour)
	mustReason(t, w.check(code(t, k, w.now)), account.Replayed)
}

func TestDisableForgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	used := w.now
	mustReason(t, w.check(code(t, k, w.now)), "")
	w.begin(7, account.AuthenticatorID{})
	epoch := w.a.Epoch()
	if err := w.a.Disable(w.moment(), w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	w.reload()
	left, of, _ := w.a.CodesLeft()
	if w.a.State() != account.Disabled || w.a.Setup() != nil || left != 0 || of != 0 || w.a.Epoch() == epoch {
		t.Errorf("state %v, setup %v, %d of %d codes, same epoch %v", w.a.State(), w.a.Setup(), left, of, w.a.Epoch() == epoch)
	}
	if got, want := account.LastUsed(w.a), used.Truncate(30*time.Second).Unix()+29; got != want {
		t.Errorf("codes are marked as used up to %d, want %d", got, want)
	}
	history, _ := w.a.History()
	if len(history) != 2 || history[1].Kind != account.EventDisabled {
		t.Errorf("history %v", history)
	}
	mustReason(t, w.a.Disable(w.moment(), w.by(account.TOTP)), account.NotEnrolled)
	mustReason(t, w.check("123456"), account.NotEnrolled)
	w.enroll(7)
	if w.a.State() != account.Confirmed {
		t.Errorf("state %v after a new start", w.a.State())
	}
}

func TestDuplicateSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	for _, seed := range []byte{1, 2} {
		if seed == 2 {
			w.begin(2, account.AuthenticatorID{})
		}
		err := w.a.Begin(w.at(), account.Setup{
			ID: account.SetupID{9}, Expires: w.now.Add(time.Minute),
			Authenticator: account.Authenticator{ID: account.AuthenticatorID{9}, Key: key(t, seed)},
		}, account.TicketHash{}, w.by(account.TOTP))
		mustReason(t, err, account.DuplicateSecret)
	}
}

func TestReplaceSwapsInOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.enroll(1)
	id := w.begin(2, w.a.Authenticators()[0].ID)
	fresh := key(t, 2)
	mustReason(t, w.check(code(t, fresh, w.now)), account.WrongCode)
	mustReason(t, w.check(code(t, old, w.now)), "")
	if _, err := w.a.Confirm(w.moment(), id, code(t, fresh, w.now)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.reload()
	if n := len(w.a.Authenticators()); n != 1 {
		t.Fatalf("%d authenticators", n)
	}
	mustReason(t, w.check(code(t, old, w.now)), account.WrongCode)
	mustReason(t, w.check(code(t, fresh, w.now)), "")
	if left, of, _ := w.a.CodesLeft(); left != 10 || of != 10 {
		t.Errorf("%d of %d recovery codes survived", left, of)
	}
}

func TestSetsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1) // the first set of the day
	_, set := codes(t, 50)
	for i := range 4 {
		if _, err := w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)); err != nil {
			t.Fatalf("set %d: %v", i+2, err)
		}
		w.reload()
	}
	_, err := w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP))
	mustReason(t, err, account.TooManyCodeSets)
	w.now = retryAt(err)
	w.reload()
	mustReason(t, second(w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP))), "")
}

// Without codes left and without a set to be had, a new phone is confirmed all
// the same; a first enrolment without codes is not.
func TestConfirmWithoutRoomForASet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	_, set := codes(t, 50)
	for range 4 {
		if _, err := w.a.Renew(w.with(set), account.Renewal{}, w.by(account.TOTP)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		mustReason(t, w.recover(50, i), "")
	}
	id := w.begin(2, account.AuthenticatorID{})
	came, err := w.a.Confirm(w.moment(), id, code(t, key(t, 2), w.now))
	if came.Event != account.EventAuthenticatorAdded || came.NewCodes || came.Match.Authenticator != (account.AuthenticatorID{2}) || err != nil {
		t.Fatalf("Confirm = %+v, %v", came, err)
	}
	if err := w.a.Disable(w.moment(), w.by(account.TOTP)); err != nil {
		t.Fatal(err)
	}
	id = w.begin(3, account.AuthenticatorID{})
	_, err = w.a.Confirm(w.moment(), id, code(t, key(t, 3), w.now))
	mustReason(t, err, account.TooManyCodeSets)
}

func TestSpentChallengesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	challenge := func(i int) account.Challenge {
		issued := w.now.Add(time.Duration(i) * time.Second)
		return account.Challenge{
			ID: account.ChallengeID{byte(i), byte(i >> 8)}, Epoch: w.a.Epoch(),
			Issued: issued, Expires: issued.Add(10 * time.Minute),
		}
	}
	for i := range 100 {
		if err := w.a.CheckChallenge(challenge(i), challenge(i).Issued); err != nil {
			t.Fatalf("challenge %d: %v", i, err)
		}
		w.a.SpendChallenge(w.moment(), challenge(i), account.TOTP, true)
		w.reload()
		for j := range i + 1 {
			if err := w.a.CheckChallenge(challenge(j), challenge(i).Issued); err == nil {
				t.Fatalf("after %d spent ones, challenge %d is open again", i+1, j)
			}
		}
	}
	other := challenge(200)
	other.Epoch[0]++
	mustReason(t, w.a.CheckChallenge(other, other.Issued), account.ChallengeVoid)
}
