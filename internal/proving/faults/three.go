package faults

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// shownSoon is what the app of the account shows next, by a phone that is a minute
// ahead: no code of it was used.
func shownSoon(s *states.State) []string { return proving.Three(s.App, s.Now().Add(time.Minute)) }

// nearMisses checks that so many near misses were counted: the fifth uses the codes
// up.
func (r *rig) nearMisses(n int) {
	r.t.Helper()
	ctx := context.Background()
	for range 5 - n {
		_, err := r.healthy.ThreeCodes().Verify(ctx, states.User, "count", proving.NearMiss(shownSoon(r.State), 2))
		proving.Want(r.t, err, enrollment.ReasonWrongCode)
	}
	status, _ := statusOf(ctx, r.healthy)
	told := 0
	for _, e := range status.History {
		if e.Kind == enrollment.EventNearMiss {
			told++
		}
	}
	_, err := r.healthy.ThreeCodes().Verify(ctx, states.User, "count", shownSoon(r.State))
	if told != 5 || proving.ReasonOf(err) != enrollment.ReasonReplayed {
		r.t.Errorf("%s: %d near misses were counted, and then %v, want %d before", r.where, told, err, n)
	}
}

// threeOperations are those with three consecutive codes.
func threeOperations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
	)
	answer := func(codes func(s S) []string) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			ok, err := g.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, s.Challenge, codes(s))
			if (err == nil) != (ok.UserID == states.User) {
				err = errors.New("a Success that does not go with its error")
			}
			return result{receipt: ok.Receipt}, err
		}
	}
	verify := func(codes func(s S) []string) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			_, err := g.ThreeCodes().Verify(ctx, states.User, "x", codes(s))
			return result{}, err
		}
	}
	byReceipt := func(s S) enrollment.Proof { return enrollment.ByReceipt(s.Receipt) }
	byNothing := func(S) enrollment.Proof { return enrollment.Proof{} }
	// What the token shows, by a clock that is five minutes ahead, some steps later and
	// with some of the codes wrong.
	tokenShows := func(steps, wrong int) func(s S) []string {
		return func(s S) []string {
			codes := proving.Three(s.Hardware(), s.Now().Add(5*time.Minute+time.Duration(steps)*30*time.Second))
			for i := range wrong {
				codes = proving.NearMiss(codes, i)
			}
			return codes
		}
	}
	resync := func(codes func(s S) []string, p func(s S) enrollment.Proof) func(context.Context, S, G) (result, error) {
		return func(ctx context.Context, s S, g G) (result, error) {
			return result{}, g.ThreeCodes().Resynchronize(ctx, states.User, s.TokenID, codes(s), p(s))
		}
	}
	// resynced: the codes are used up, and the next one is right by itself.
	resynced := func(ctx context.Context, s S, g G, _ *result) error {
		_, err := g.ThreeCodes().Verify(ctx, states.User, "x", tokenShows(0, 0)(s))
		if err := expect(err, enrollment.ReasonReplayed); err != nil {
			return err
		}
		_, err = g.Verify(ctx, states.User, "x", tokenShows(1, 0)(s)[2])
		return err
	}
	usedUp := func(ctx context.Context, s S, g G, _ *result) error {
		_, err := g.ThreeCodes().Verify(ctx, states.User, "x", shownSoon(s))
		return expect(err, enrollment.ReasonReplayed)
	}
	answered := func(ctx context.Context, s S, g G, out *result) error {
		if err := usedUp(ctx, s, g, out); err != nil {
			return err
		}
		_, err := g.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, s.Challenge, shownSoon(s))
		return expect(err, enrollment.ReasonChallengeSpent)
	}
	used := func(s S) []string { return proving.Three(s.App, s.Now()) }
	near := func(s S) []string { return proving.NearMiss(shownSoon(s), 2) }
	far := func(s S) []string { return proving.NearMiss(near(s), 0) }
	return []operation{
		{name: "Answer with three codes", state: "confirmed", run: answer(shownSoon), writes: true, once: true, quiet: true, held: answered},
		{name: "Answer with three codes while locked", state: "locked", run: answer(shownSoon), writes: true, once: true, quiet: true, held: answered},
		{name: "Answer with three used codes", state: "locked", run: answer(used), want: enrollment.ReasonReplayed},
		{name: "Answer with three wrong codes", state: "locked", run: answer(far), want: enrollment.ReasonWrongCode},
		{name: "Answer with two of three codes", state: "locked", run: answer(near), want: enrollment.ReasonWrongCode, writes: true, counts: "near"},
		{name: "Verify with three codes", state: "staged", run: verify(shownSoon), writes: true, once: true, quiet: true, held: usedUp},
		{name: "Resynchronize", state: "token", run: resync(tokenShows(0, 0), byReceipt), writes: true, once: true, held: resynced},
		{name: "Resynchronize by code", state: "token", run: resync(tokenShows(0, 0), func(s S) enrollment.Proof { return enrollment.ByCode(s.Right()) }), writes: true, once: true, held: resynced},
		{name: "Resynchronize with wrong codes", state: "token", run: resync(tokenShows(0, 2), byReceipt), want: enrollment.ReasonWrongCode},
		{name: "Resynchronize with two of three codes", state: "token", run: resync(tokenShows(0, 1), byNothing), want: enrollment.ReasonWrongCode, writes: true},
		{name: "Resynchronize without a proof", state: "token", run: resync(tokenShows(0, 0), byNothing), want: enrollment.ReasonProofRequired},
		{name: "Resynchronize by wrong code", state: "token", run: resync(tokenShows(0, 0), func(s S) enrollment.Proof { return enrollment.ByCode(s.Wrong()) }), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Verify with two codes", state: "confirmed", run: verify(func(s S) []string { return used(s)[1:] }), want: enrollment.ReasonMalformedCode, form: true},
		{name: "Verify with three codes without", state: "disabled", run: verify(shownSoon), want: enrollment.ReasonNotEnrolled},
	}
}
