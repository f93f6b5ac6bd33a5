package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A challenge shows a code only after it was answered. Before that nothing is drawn or
// derived, so an attacker who has only the password can't keep the server busy. The code
// that is drawn here is one of the account's, so nothing but the answer is missing.
func TestNewCodeNeedsAnAnswer(t *testing.T) {
	t.Parallel()
	w, list := keeping(t)
	code, drawn := all(list)[2], 0
	draw := func(recovery.Scheme) (recovery.Code, error) { drawn++; return code, nil }
	answered, other := w.a.NewChallenge(account.ChallengeID{1}, w.now), w.a.NewChallenge(account.ChallengeID{2}, w.now)
	_, set := codes(t, 1)
	digest, err := set.Set.Derivation().Derive(code)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(id account.ChallengeID) {
		t.Helper()
		for _, m := range []account.Moment{w.moment(), w.derived(set, digest, nil)} {
			w.reload()
			got, err := w.a.NewCode(m, id, draw)
			mustReason(t, err, account.CodesNotKept)
			if !got.IsZero() || drawn != 0 || w.a.Need().Kind != account.NoNeed {
				t.Fatalf("a code: %t, drawn %d times, need %d", !got.IsZero(), drawn, w.a.Need().Kind)
			}
		}
	}
	refused(answered.ID)
	w.a.SpendChallenge(w.moment(), other, account.Recovery, true)
	refused(answered.ID)

	w.a.SpendChallenge(w.moment(), answered, account.Recovery, true)
	w.reload()
	_, err = w.a.NewCode(w.moment(), answered.ID, draw)
	w.needs(err, account.NeedDigest)
	w.reload()
	got, err := w.a.NewCode(w.derived(set, digest, nil), answered.ID, draw)
	if err != nil || got.Reveal() != code.Reveal() || w.a.Changed() {
		t.Fatalf("another code, %v; the account has changed: %t", err, w.a.Changed())
	}

	w.now, drawn = w.now.Add(account.ChallengeTTL+account.RepeatTTL+time.Minute), 0
	w.reload()
	refused(answered.ID) // it is forgotten
}
