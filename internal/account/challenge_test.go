package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// When a challenge can be answered, and when something can be asked for with
// it; and the same for one that a message has made live longer.
func TestLifeOfChallenges(t *testing.T) {
	t.Parallel()
	const ttl, message = account.ChallengeTTL, account.DeliveryTTL
	w := newWorld(t)
	w.enroll(1)
	plain := w.a.NewChallenge(account.ChallengeID{1}, w.now)
	sent := plain.Delivered(account.NewDelivery(account.DeliveryID{2}, "123456", w.now.Add(ttl-time.Second)))
	for _, tt := range []struct {
		after        time.Duration
		plain, sent  account.Reason
		asked, begun account.Reason // with the plain one, with the one that was sent
	}{
		{after: 0},
		{after: ttl - 1000},
		{ttl, account.ChallengeExpired, "", account.ChallengeExpired, account.ChallengeExpired},
		{ttl + message - time.Second - 1000, account.ChallengeExpired, "", account.ChallengeExpired, account.ChallengeExpired},
		{ttl + message - time.Second, account.ChallengeExpired, account.ChallengeExpired, account.ChallengeExpired, account.ChallengeExpired},
		// By another node that runs behind, and by a clock that has jumped back.
		{after: -time.Minute},
		{-time.Minute - 1000, account.ChallengeExpired, account.ChallengeExpired, account.ChallengeExpired, account.ChallengeExpired},
	} {
		now := w.now.Add(tt.after)
		for name, x := range map[string]struct {
			err  error
			want account.Reason
		}{
			"the plain one":                {w.a.CheckChallenge(plain, now), tt.plain},
			"the one that was sent":        {w.a.CheckChallenge(sent, now), tt.sent},
			"the plain one, fresh":         {w.a.CheckFreshChallenge(plain, now), tt.asked},
			"the one that was sent, fresh": {w.a.CheckFreshChallenge(sent, now), tt.begun},
		} {
			if got := reason(x.err); got != x.want {
				t.Errorf("%s, after %v: %q, want %q", name, tt.after, got, x.want)
			}
		}
	}
	w.a.SpendChallenge(w.moment(), plain, account.TOTP, true)
	for _, c := range []account.Challenge{plain, sent} {
		mustReason(t, w.a.CheckChallenge(c, w.now), account.ChallengeSpent)
		mustReason(t, w.a.CheckFreshChallenge(c, w.now), account.ChallengeSpent)
	}
}

// What was typed too long ago, by a clock that jumps ahead or back, is too late.
func TestLate(t *testing.T) {
	t.Parallel()
	for ago, late := range map[time.Duration]bool{
		0: false, 5 * time.Minute: false, 5*time.Minute + 1000: true, -time.Minute: false, -time.Minute - 1000: true,
	} {
		if got := (account.Moment{Now: start, Typed: start.Add(-ago)}).Late(); got != late {
			t.Errorf("typed %v ago: late %t, want %t", ago, got, late)
		}
	}
	if (account.Moment{Now: start}).Late() {
		t.Error("what was typed now is late")
	}
}

// The mark of spent challenges may lie ahead as far as the clocks of nodes are
// apart. One that lies further ahead came from a broken clock, and voids all.
func TestMarkAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	issued := w.now
	w.a.SpendChallenge(w.moment(), w.a.NewChallenge(account.ChallengeID{1}, issued), account.TOTP, true)
	w.a.Tidy(account.Moment{Now: issued.Add(account.ChallengeTTL)})
	for ahead, broken := range map[time.Duration]bool{0: false, 2 * time.Minute: false, 2*time.Minute + time.Microsecond: true} {
		w.now = issued.Add(-ahead)
		a := w.copied()
		if a.ClampFuture(w.moment()); (a.Epoch() != w.a.Epoch()) != broken {
			t.Errorf("a mark %v ahead: the epoch has turned: %t", ahead, !broken)
		}
	}
}
