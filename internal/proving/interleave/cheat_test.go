package interleave

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A save is what is done in place of the Save of the store behind.
type save func(behind proving.Full, ctx context.Context, r store.Record, prev int64) error

// A cheat is a store whose Save does something else.
type cheat struct {
	proving.Full
	save save
}

func (c cheat) Save(ctx context.Context, r store.Record, prev int64) error {
	return c.save(c.Full, ctx, r, prev)
}

// blind replaces whatever version there is.
func blind(behind proving.Full, ctx context.Context, r store.Record, prev int64) error {
	if now, err := behind.Load(ctx, r.UserID); err == nil {
		prev = now.Version
	}
	return behind.Save(ctx, r, prev)
}

// hopeful says that a conflict was a success.
func hopeful(behind proving.Full, ctx context.Context, r store.Record, prev int64) error {
	_ = behind.Save(ctx, r, prev)
	return nil
}

// A store that does not compare versions, or hides that they differ, is caught by
// each pair that spends or counts one thing twice.
func TestCheatsAreCaught(t *testing.T) {
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	pairs := map[string][][]operation{
		"staged": {
			{answerApp, answerApp}, {answerApp, verifyApp}, {verifyWrong, verifyWrong}, {verifyWrong, verifyApp},
			{verifyRecovery, verifyRecovery}, {verifyRecovery, renew}, {verifyWrong, confirm}, {confirm, disable},
		},
		"token": {
			{answerThree, answerThree}, {answerThree, verifyThree}, {verifyNear, verifyNear}, {answerNear, verifyNear},
			{verifyNear, resynchronizeNear}, {resynchronize, resynchronize}, {resynchronize, verifyNear},
		},
		"shown":     {{renewOnce, renewOnce}, {renewOnce, renew}, {renewOnce, verifyRecovery}},
		"replacing": {{confirm, replaceSecond}, {confirm, beginToken}, {confirm, confirm}},
		"binding":   {{confirmAddress, confirmAddress}, {confirmWrongAddress, confirmWrongAddress}, {confirmAddress, verifyRecovery}},
		"pending":   {{confirmWrong, confirmWrong}},
		"sent":      {{answerWrongMessage, answerWrongMessage}},
		"none":      {{takeOver, signInImport}, {signInImport, beginFirst}},

		"staged moving":       {{move, verifyApp}, {move, verifyWrong}, {move, verifyRecovery}, {move, disable}, {move, confirm}},
		"new id":              {{move, at(newID, beginFirst)}, {move, at(newID, takeOver)}},
		"moves":               {{move, move}, {move, moveOther}},
		"interrupted after 1": {{move, verifyApp}, {move, verifyWrong}},
		"staged resealing":    {{reseal, verifyApp}, {reseal, verifyWrong}, {reseal, verifyRecovery}, {reseal, disable}, {reseal, confirm}},
	}
	for title := range pairs {
		s := sceneOf(t, title)
		from := states.New(t, s.state, recovery.Fast)
		for name, save := range map[string]save{"blind": blind, "hopeful": hopeful} {
			for _, pair := range pairs[s.title()] {
				open := func(t *testing.T) store.Store { return cheat{proving.Memory(t).(proving.Full), save} }
				r := newRig(t, open, nil, from, s, pair, newNotes())
				if n, err := r.walk(Options{}); err == nil {
					t.Errorf("%s: %s/%s came out well in all of %d schedules", name, s.title(), nameOf(pair), n)
				}
			}
		}
	}
}

// hasty says that a write is stored when it can't know that.
func hasty(behind proving.Full, ctx context.Context, r store.Record, prev int64) error {
	if err := behind.Save(ctx, r, prev); errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

// content takes a conflict for a write that is there already.
func content(behind proving.Full, ctx context.Context, r store.Record, prev int64) error {
	if err := behind.Save(ctx, r, prev); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

// impatient looks whether a write that failed is there, and has it decided again if not.
func impatient(behind proving.Full, ctx context.Context, r store.Record, prev int64) error {
	err := behind.Save(ctx, r, prev)
	if err == nil || errors.Is(err, store.ErrConflict) {
		return err
	}
	switch now, lost := behind.Load(ctx, r.UserID); {
	case lost != nil:
		return err
	case now.Version == prev:
		return store.ErrConflict
	case bytes.Equal(now.Data, r.Data):
		return nil
	}
	return err
}

// A client of the store that hides failed writes, so that the Guard answers although nothing
// may be stored, is caught by each pair, as soon as one call fails. So is one that hides
// conflicts, although nobody else writes, and, by a write that comes late, one that believes
// what it sees after a failure.
func TestHastyStoreIsCaught(t *testing.T) {
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	staged := scenes()[0]
	from := states.New(t, staged.state, recovery.Fast)
	// A sign-in writes only once the second factor is off, beside disable.
	one := [][]operation{{answerApp, signIn}, {verifyApp, signIn}, {verifyWrong, signIn}, {verifyRecovery, signIn}, {confirm, signIn}, {renew, signIn}}
	both := [][]operation{{disable, signIn}}
	for _, c := range []struct {
		name  string
		save  save
		by    fault // that has to be in the schedule
		pairs [][]operation
	}{
		{"hasty", hasty, "", slices.Concat(one, both)}, {"content", content, refused, one}, {"impatient", impatient, late, one},
	} {
		between := func(behind proving.Full) proving.Full { return cheat{behind, c.save} }
		for _, pair := range c.pairs {
			for _, faults := range []bool{false, true} {
				n, err := newRig(t, proving.Memory, between, from, staged, pair, newNotes()).walk(Options{Faults: faults})
				if caught := err != nil; caught != faults || caught && !strings.Contains(err.Error(), string(c.by)) {
					t.Errorf("%s, %s, with faults %v: %d schedules, %v", c.name, nameOf(pair), faults, n, err)
				}
			}
		}
	}
}

// All branches are taken, and what a failure names can be played again.
func TestScheduleIsPlayedAgain(t *testing.T) {
	var p path
	var all []string
	for {
		if p.choose(2) == 0 {
			p.choose(3)
		}
		all = append(all, p.String())
		if !p.next() {
			break
		}
	}
	if got := strings.Join(all, " "); got != "0.0 0.1 0.2 1" {
		t.Errorf("walked %s", got)
	}
	again, err := parsePath("0.2")
	if err != nil || again.choose(2) != 0 || again.choose(3) != 2 {
		t.Errorf("0.2 was read as %s, %v", again, err)
	}
	if err := again.fits(); err != nil {
		t.Error(err)
	}
	if _, err := parsePath("1.x"); err == nil {
		t.Error("nonsense was read as a schedule")
	}
	for _, other := range []string{"2", "0.2.0"} { // of another pair, or with faults
		p, err := parsePath(other)
		if err != nil {
			t.Fatal(err)
		}
		p.choose(2)
		p.choose(3)
		if err := p.fits(); err == nil {
			t.Errorf("%s fits", other)
		}
	}
}

// A failure names the schedule, and playing that alone fails in the same way.
func TestFailureIsPlayedAgain(t *testing.T) {
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	staged := scenes()[0]
	from := states.New(t, staged.state, recovery.Fast)
	open := func(t *testing.T) store.Store { return cheat{proving.Memory(t).(proving.Full), blind} }
	play := func(schedule string) error {
		r := newRig(t, open, nil, from, staged, []operation{verifyApp, verifyApp}, newNotes())
		_, err := r.walk(Options{Play: schedule})
		return err
	}
	first := play("")
	if first == nil {
		t.Fatal("nothing has failed")
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(first.Error(), "schedule "), ":")
	t.Setenv(proving.ProveAll, "1")
	t.Setenv("GOWORK", "off")
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := "GOWORK=off TWOFACTOR_PROVE_ALL=1 TWOFACTOR_INTERLEAVE_PLAY=" + name + " go -C " + folder + " test -run '^TestPairs$/^scenes$/^staged$/^verify\\+disable$' ."
	if got := again("TestPairs/scenes/staged/verify+disable", "", first); got != want {
		t.Errorf("it is played again by\n%s, want\n%s", got, want)
	}
	if again := play(name); again == nil || again.Error() != first.Error() {
		t.Errorf("schedule %s played alone: %v, want\n%v", name, again, first)
	}
	if play("0") != nil {
		t.Error("the schedule of one after the other has failed")
	}
	r := newRig(t, proving.Memory, nil, from, staged, []operation{verifyApp, signIn}, newNotes())
	if _, err := r.walk(Options{Play: "1"}); err == nil || !strings.Contains(err.Error(), "not part of this walk") {
		t.Errorf("a schedule that differs in the order of two loads: %v", err)
	}
	if err := play(name + ".0.0.0.0.0.0.0.0"); err == nil || !strings.Contains(err.Error(), "ends after") {
		t.Errorf("a schedule of something longer: %v", err)
	}
}
