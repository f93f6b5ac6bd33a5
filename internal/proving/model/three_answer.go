package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Three consecutive codes: the operations of the driver.

// threeCodes returns three codes as the owner, or somebody else, could type them.
func (r *modelRun) threeCodes(u *modelUser) []string {
	app, has := modelPick(r, u.account.apps)
	if !has || r.chance(8) {
		var codes []string
		for range 2 + r.rng.IntN(3) {
			codes = append(codes, r.code(u, r.rng.IntN(104)))
		}
		return codes
	}
	at := r.now()
	switch r.rng.IntN(6) {
	case 0: // a wrong clock
		at = at.Add(time.Duration(r.rng.IntN(47)-23) * 30 * time.Second)
	case 1: // the last ones that were used
		at = time.Unix(app.last*modelPeriod, 0)
	}
	codes := proving.Three(app.key, at)
	if slices.Contains(codes, "") {
		return []string{"000000", "000000", "000000"}
	}
	for r.chance(5) {
		codes = proving.NearMiss(codes, r.rng.IntN(3))
	}
	if r.chance(8) {
		i := r.rng.IntN(3)
		codes[i] = " " + codes[i][:3] + "-" + codes[i][3:]
	}
	return codes
}

// three gives three codes at a sign-in or a step-up, mostly such as were not used.
func (r *modelRun) three(u *modelUser) {
	if r.chance(6) && len(u.account.apps) > 0 {
		rounds := 5
		if r.chance(6) {
			rounds = 120
		}
		r.guess(u, rounds, false)
	}
	if r.chance(3) {
		r.lookOver(u)
	}
	if !r.chance(4) {
		r.real = r.real.Add(90 * time.Second)
	}
	if r.chance(2) {
		r.verifyThree(u, r.threeCodes(u))
		return
	}
	r.signIn(u)
	if c, ok := r.challenge(u); ok {
		r.answerWith(u, c, c.purpose, r.together(r.threeCodes(u)))
	}
}

// lookOver is somebody who has seen two codes, and guesses at the third.
func (r *modelRun) lookOver(u *modelUser) {
	app, ok := modelPick(r, u.account.apps)
	if !ok {
		return
	}
	at := r.now().Add(time.Duration(r.rng.IntN(43)-21) * 30 * time.Second)
	if r.chance(3) { // some or all of them were used
		at = time.Unix((app.last+int64(r.rng.IntN(4)))*modelPeriod, 0)
	}
	codes := proving.Three(app.key, at)
	if slices.Contains(codes, "") {
		return
	}
	for range 4 + r.rng.IntN(4) {
		r.verifyThree(u, proving.NearMiss(codes, r.rng.IntN(3)))
		r.real = r.real.Add(time.Duration(r.rng.IntN(400)) * time.Second * time.Duration(r.rng.IntN(2)))
	}
	r.verifyThree(u, codes)
}

// together is the entry of three codes.
func (r *modelRun) together(codes []string) modelEntry {
	normal := readThree(codes)
	return modelEntry{
		kind:      "Three",
		text:      fmt.Sprintf("%q", codes),
		malformed: normal == nil,
		check: func(a *modelAccount, _ int, _ bool, _ int) (modelMatch, *modelNo) {
			return a.checkThree(normal, r.now())
		},
		answer: func(ctx context.Context, p enrollment.Purpose, c enrollment.Challenge) (enrollment.Success, error) {
			return r.guard.ThreeCodes().Answer(ctx, p, c, codes)
		},
		verify: func(ctx context.Context, user string, p enrollment.Purpose) (enrollment.Success, error) {
			return r.guard.ThreeCodes().Verify(ctx, user, p, codes)
		},
		accept: func(u *modelUser, m modelMatch) { r.acceptThree(u, m, codes) },
	}
}

func (r *modelRun) verifyThree(u *modelUser, codes []string) {
	r.verifyWith(u, "delete-project", r.together(codes))
}

// acceptThree checks, apart from the model, that none of the codes was accepted
// before.
func (r *modelRun) acceptThree(u *modelUser, m modelMatch, codes []string) {
	r.t.Helper()
	normal := readThree(codes)
	fresh := false
	for k, key := range u.keys {
		x := modelApp{key: key}
		step := x.matchThree(normal, 3, r.now(), func(first int64) bool {
			return !slices.ContainsFunc(u.used[k], func(s int64) bool { return s >= first })
		})
		if step != 0 {
			fresh = true
			u.used[k] = append(u.used[k], step)
		}
	}
	if !fresh {
		r.fatalf("%s: %q were accepted, and were used", u.name, strings.Join(codes, " "))
	}
	if m.elsewhen {
		r.tally["Three: elsewhen"]++
	}
}
