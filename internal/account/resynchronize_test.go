package account_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// tokenID is the id of the token that withToken sets up.
var tokenID = account.AuthenticatorID{41}

// withToken is an account with an app and a hardware token that makes codes of that
// kind. No code was used for an hour.
func withToken(t *testing.T, p totp.Params) (w *world, app, token totp.Key) {
	t.Helper()
	w = newWorld(t)
	app = w.enroll(1)
	s := w.hardware(41, account.AuthenticatorID{})
	token = keyWith(t, 41, p)
	s.Authenticator.Key = token
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, token, w.now)), "")
	w.now = w.now.Add(time.Hour)
	w.reload()
	return w, app, token
}

// resync resynchronises the token with codes up to an instant by its clock, and stores
// what came of it.
func (w *world) resync(token totp.Key, at time.Time) error {
	w.t.Helper()
	err := w.a.Resynchronize(w.moment(), tokenID, three(w.t, token, at), w.by(account.TOTP))
	if w.a.Changed() {
		w.reload()
	}
	return err
}

// right returns by how many steps a single code that is right may be ahead.
func (w *world) right(token totp.Key) (right []int) {
	w.t.Helper()
	for n := -45; n <= 45; n++ {
		a := w.copied()
		digits := code(w.t, token, w.now.Add(time.Duration(n)*token.Params().Period))
		if _, err := a.Check(w.moment(), account.Guess{Factor: account.TOTP, Digits: digits}); err == nil {
			right = append(right, n)
		}
	}
	return right
}

func TestGoldenResynchronized(t *testing.T) {
	w, _, token := withToken(t, totp.Params{})
	must(t, w.resync(token, w.now.Add(-4*time.Minute)))
	w.a.Stamp(w.moment())
	golden(t, "v1-resynchronized", w.a)
}

// The window of single codes goes where the clock of the token is, as narrow as before,
// and the phone beside it stays where it was.
func TestResynchronize(t *testing.T) {
	t.Parallel()
	for _, p := range []totp.Params{{}, {Algorithm: totp.SHA256, Digits: 8, Period: time.Minute}} {
		most := int(10 * time.Minute / p.WithDefaults().Period)
		for _, n := range []int{-most - 1, -most, -7, -1, 0, 1, 7, most, most + 1} {
			w, app, token := withToken(t, p)
			before := encode(t, w.a)
			off := time.Duration(n) * token.Params().Period
			err := w.resync(token, w.now.Add(off))
			if n < -most || n > most {
				if mustReason(t, err, account.WrongCode); !bytes.Equal(encode(t, w.a), before) {
					t.Errorf("%v: the refusal is written", off)
				}
				continue
			}
			must(t, err)
			history, err := w.a.History()
			must(t, err)
			if e := history[len(history)-1]; e.Kind != account.EventResynchronized || e.Factor != account.TOTP || e.Name != "phone" {
				t.Errorf("told is %+v", e)
			}
			w.now = w.now.Add(10 * token.Params().Period) // beyond the codes that were used
			if got, want := w.right(token), []int{n - 1, n, n + 1}; !slices.Equal(got, want) {
				t.Errorf("%v: right are %v, want %v", off, got, want)
			}
			match, err := w.a.Check(w.moment(), account.Guess{Factor: account.TOTP, Digits: code(t, token, w.now.Add(off))})
			must(t, err)
			if match.Drift != 0 || match.Receipt() != account.TOTP {
				t.Errorf("%v: %+v", off, match)
			}
			must(t, w.check(code(t, app, w.now)))
		}
	}
}

// The offset is that from the server, whatever it was before: it never adds up.
func TestResynchronizeReplaces(t *testing.T) {
	t.Parallel()
	w, _, token := withToken(t, totp.Params{})
	for _, minutes := range []int{6, 9, -9, 0, 10, -10} {
		w.now = w.now.Add(time.Hour)
		must(t, w.resync(token, w.now.Add(time.Duration(minutes)*time.Minute)))
		w.now = w.now.Add(time.Hour)
		if got := w.right(token); !slices.Equal(got, []int{2*minutes - 1, 2 * minutes, 2*minutes + 1}) {
			t.Errorf("%d minutes: right are %v", minutes, got)
		}
	}
	// Ten minutes behind the server is the most, also for a token that was there.
	w.now = w.now.Add(time.Hour)
	mustReason(t, w.resync(token, w.now.Add(-10*time.Minute-30*time.Second)), account.WrongCode)
	// Three codes that sign in are looked for around the time of the server as well.
	_, err := w.checkThree(three(t, token, w.now.Add(10*time.Minute)))
	must(t, err)
	_, err = w.checkThree(three(t, token, w.now.Add(-20*time.Minute)))
	mustReason(t, err, account.WrongCode)
}

// No code works twice, wherever the window goes: what was used is a step, and not a
// time.
func TestResynchronizeAndReplay(t *testing.T) {
	t.Parallel()
	for _, before := range []int{-20, -5, 0, 5, 20} {
		for _, after := range []int{-20, -5, 0, 5, 20} {
			w, _, token := withToken(t, totp.Params{})
			step := func(n int) time.Time { return w.now.Add(time.Duration(n) * 30 * time.Second) }
			must(t, w.resync(token, step(before)))
			w.now = w.now.Add(30 * time.Second)
			must(t, w.check(code(t, token, step(before))))
			last := token.Step(step(before))
			for range 60 { // until three codes of the other time are unused
				err := w.resync(token, step(after))
				if err == nil {
					break
				}
				mustReason(t, err, account.Replayed)
				if want := retryAt(err); want.Before(w.now) {
					t.Fatalf("try again at %v, now is %v", want, w.now)
				}
				w.now = w.now.Add(30 * time.Second)
			}
			now := w.a.Authenticators()[1].Last
			if now-2 <= last {
				t.Errorf("from %d to %d: step %d was accepted, used was %d", before, after, now-2, last)
			}
			for _, n := range w.right(token) {
				if token.Step(step(n)) <= now {
					t.Errorf("from %d to %d: step %d is accepted again", before, after, token.Step(step(n)))
				}
			}
		}
	}
}

// When the app of an offset token shows the next unused code is told by its clock.
func TestResynchronizedTellsTheNextCode(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-20, -3, 3, 20} {
		w, _, token := withToken(t, totp.Params{})
		off := time.Duration(n) * 30 * time.Second
		must(t, w.resync(token, w.now.Add(off)))
		err := w.check(code(t, token, w.now.Add(off)))
		mustReason(t, err, account.Replayed)
		next := w.now.Truncate(30 * time.Second).Add(30 * time.Second)
		if !retryAt(err).Equal(next) {
			t.Errorf("%v: the next code comes %v, want %v", off, retryAt(err), next)
		}
		w.now = next
		must(t, w.check(code(t, token, w.now.Add(off))))
	}
}

// Three codes alone move nothing. Who has noted down codes of another time can sign in
// with three of them, and could change settings with the fourth if the window moved.
func TestResynchronizeNeedsAProof(t *testing.T) {
	t.Parallel()
	w, app, token := withToken(t, totp.Params{})
	seen := w.now.Add(-6 * time.Minute)
	match, err := w.checkThree(three(t, token, seen)) // the thief signs in
	must(t, err)
	elsewhen := w.by(match.Receipt())
	wrong := account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: w.wrong()}}
	next := three(t, token, seen.Add(90*time.Second))
	for name, c := range map[string]struct {
		proof account.Proof
		want  account.Reason
	}{
		"nothing":              {account.Proof{}, account.ProofRequired},
		"the password":         {w.reauth("password"), account.ProofNotAllowed},
		"codes of other times": {elsewhen, account.ProofNotAllowed},
		"a delivered code":     {w.by(account.Delivered), account.ProofNotAllowed},
		"a wrong code":         {wrong, account.WrongCode},
	} {
		a := w.copied()
		mustReason(t, a.Resynchronize(w.moment(), tokenID, next, c.proof), c.want)
		if x := a.Authenticators()[1]; x.Offset != 0 || x.Last != token.Step(seen) {
			t.Errorf("%s: %+v", name, x)
		}
	}
	mustReason(t, w.check(code(t, token, seen.Add(30*time.Second))), account.WrongCode)
	w.reload()
	// The owner has the phone.
	byPhone := account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: code(t, app, w.now)}}
	must(t, w.a.Resynchronize(w.moment(), tokenID, next, byPhone))
	mustReason(t, w.check(code(t, app, w.now)), account.Replayed)
}

// What is not a token of the account is refused before anything is looked at.
func TestResynchronizeOnlyTokens(t *testing.T) {
	t.Parallel()
	w, app, token := withToken(t, totp.Params{})
	for name, c := range map[string]struct {
		id    account.AuthenticatorID
		codes account.Consecutive
		want  account.Reason
	}{
		"an app":                 {account.AuthenticatorID{1}, three(t, app, w.now), account.UnknownAuthenticator},
		"nothing":                {account.AuthenticatorID{9}, three(t, token, w.now), account.UnknownAuthenticator},
		"codes of another kind":  {tokenID, account.Consecutive{"1234567", "1234567", "1234567"}, account.MalformedCode},
		"codes of the app":       {tokenID, three(t, app, w.now), account.WrongCode},
		"codes that do not fit":  {tokenID, account.Consecutive{"123456", "123456", "1234567"}, account.MalformedCode},
		"a code three times":     {tokenID, account.Consecutive{code(t, token, w.now), code(t, token, w.now), code(t, token, w.now)}, account.WrongCode},
		"codes in another order": {tokenID, account.Consecutive{code(t, token, w.now), code(t, token, w.now.Add(-30*time.Second)), code(t, token, w.now.Add(-time.Minute))}, account.WrongCode},
	} {
		before := encode(t, w.a)
		mustReason(t, w.a.Resynchronize(w.moment(), c.id, c.codes, w.by(account.TOTP)), c.want)
		if !bytes.Equal(encode(t, w.a), before) {
			t.Errorf("%s: the refusal is written", name)
		}
	}
	none := newWorld(t)
	mustReason(t, none.a.Resynchronize(none.moment(), tokenID, three(t, token, w.now), none.reauth("password")), account.NotEnrolled)
}

// Two right codes of three are counted as at a sign-in, and the fifth try uses them up.
func TestResynchronizeCountsNearMisses(t *testing.T) {
	t.Parallel()
	w, _, token := withToken(t, totp.Params{})
	codes := three(t, token, w.now.Add(5*time.Minute))
	for range 5 {
		err := w.a.Resynchronize(w.moment(), tokenID, missed(codes, 2), w.by(account.TOTP))
		if mustReason(t, err, account.WrongCode); !slices.Equal(kinds(w.a), []account.EventKind{account.EventNearMiss}) {
			t.Fatalf("told is %v", kinds(w.a))
		}
		w.reload()
	}
	mustReason(t, w.a.Resynchronize(w.moment(), tokenID, codes, w.by(account.TOTP)), account.Replayed)
	if w.a.Authenticators()[1].Offset != 0 {
		t.Error("the window has moved")
	}
}

// The codes end a run of wrong ones, as at a sign-in: these were wrong because of the
// clock. They give nothing back to the budget.
func TestResynchronizeEndsTheRun(t *testing.T) {
	t.Parallel()
	w, _, token := withToken(t, totp.Params{})
	w.lock()
	spent := account.Throttles(w.a)[account.TOTP].Debt
	must(t, w.resync(token, w.now.Add(5*time.Minute)))
	if th := account.Throttles(w.a)[account.TOTP]; th.Failures != 0 || th.Debt != spent {
		t.Errorf("%+v", th)
	}
}

// A new start is at zero: of another token in its place, and of the token itself.
func TestResynchronizedStartsAtZero(t *testing.T) {
	t.Parallel()
	w, _, token := withToken(t, totp.Params{})
	must(t, w.resync(token, w.now.Add(5*time.Minute)))
	s := w.hardware(61, tokenID)
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, key(t, 61), w.now)), "")
	if x := w.a.Authenticators()[1]; x.ID != (account.AuthenticatorID{61}) || x.Offset != 0 {
		t.Errorf("%+v", x)
	}
	// The token comes back, and the codes used with the offset stay used.
	s = w.hardware(41, account.AuthenticatorID{})
	s.ID = account.SetupID{42}
	w.now = w.now.Add(30 * time.Second)
	w.stageHardware(s)
	mustReason(t, w.give(s, code(t, token, w.now)), account.Replayed)
	w.now = w.now.Add(6 * time.Minute)
	mustReason(t, w.give(s, code(t, token, w.now)), "")
	if x := w.a.Authenticators()[2]; x.Offset != 0 || !x.Hardware {
		t.Errorf("%+v", x)
	}
}

// A clock that was broken leaves no step ahead of what could have been used.
func TestResynchronizedClock(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-20, 20} {
		w, _, token := withToken(t, totp.Params{})
		real := w.now
		w.now = w.now.Add(30 * day)
		off := time.Duration(n) * 30 * time.Second
		must(t, w.resync(token, w.now.Add(off)))
		w.now = real
		w.reload()
		want := token.Step(real) + max(0, int64(n)) + 1
		if x := w.a.Authenticators()[1]; x.Last != want || x.Offset != int64(n) {
			t.Errorf("%v: used up to %d, want %d", off, x.Last, want)
		}
	}
}

// An offset that resynchronising can't have found is damage.
func TestResynchronizedEncoding(t *testing.T) {
	t.Parallel()
	w, _, token := withToken(t, totp.Params{Period: time.Minute})
	must(t, w.resync(token, w.now.Add(5*time.Minute)))
	b := encode(t, w.a)
	field := func(n int64) []byte { return binary.BigEndian.AppendUint64([]byte{10, 0, 8}, uint64(n)) }
	if bytes.Count(b, field(5)) != 1 {
		t.Fatalf("% x", b)
	}
	for n, good := range map[int64]bool{-11: false, -10: true, 10: true, 11: false, 1 << 62: false, -1 << 63: false} {
		_, err := account.Decode(bytes.Replace(b, field(5), field(n), 1))
		if good != (err == nil) || !good && !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%d steps: %v", n, err)
		}
	}
	// An app has none.
	w = newWorld(t)
	w.begin(1, account.AuthenticatorID{})
	w.a.Setup().Authenticator.Offset = 1
	if _, err := account.Decode(encode(t, w.a)); !errors.Is(err, account.ErrDamaged) {
		t.Errorf("an app with an offset: %v", err)
	}
}

// A token of another system keeps its mark, and nothing else that was found out there.
func TestImportedTokenStartsAtZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := imported(key(t, 7), 41)
	token.Hardware, token.Offset = true, 5
	must(t, w.a.Import(w.moment(), []account.Authenticator{token}, nil, false, admin))
	w.reload()
	if x := w.a.Authenticators()[0]; !x.Hardware || x.Offset != 0 {
		t.Errorf("%+v", x)
	}
}

// Three codes sign in as before, and prove a change if the last one is of the time that
// the token shows.
func TestResynchronizedThreeCodes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-12, 12} {
		for shift, proves := range map[int]bool{n - 2: false, n - 1: true, n: true, n + 1: true, n + 2: false, 0: false} {
			w, _, token := withToken(t, totp.Params{})
			must(t, w.resync(token, w.now.Add(time.Duration(n)*30*time.Second)))
			w.now = w.now.Add(time.Hour)
			match, err := w.checkThree(three(t, token, w.now.Add(time.Duration(shift)*30*time.Second)))
			must(t, err)
			if match.Elsewhen == proves || match.Drift != time.Duration(shift-n)*30*time.Second {
				t.Errorf("at %d, with an offset of %d: %+v", shift, n, match)
			}
		}
	}
}

// What operators are told of a wrong clock is measured from the time that the token is
// known to show.
func TestResynchronizedHints(t *testing.T) {
	t.Parallel()
	w, _, token := withToken(t, totp.Params{})
	must(t, w.resync(token, w.now.Add(10*time.Minute)))
	w.now = w.now.Add(time.Hour)
	for minutes, want := range map[int]bool{-1: false, 2: true, 19: true, 21: false} {
		w.reload()
		mustReason(t, w.check(code(t, token, w.now.Add(time.Duration(minutes)*time.Minute))), account.WrongCode)
		if got := w.a.RightAtOtherTime(w.moment()); got != want {
			t.Errorf("a code of %d minutes ahead: %t, want %t", minutes, got, want)
		}
	}
	must(t, w.resync(token, w.now.Add(-10*time.Minute)))
	used := code(t, token, w.now.Add(-10*time.Minute))
	w.now = w.now.Add(3 * time.Minute)
	if mustReason(t, w.check(used), account.WrongCode); w.a.RightAtOtherTime(w.moment()) {
		t.Error("a used code counts")
	}
}

// A typing error in the three codes uses no proof up, and a wrong proof uses no codes up.
// The proof can be one of the three, if it is accepted by itself.
func TestResynchronizeUsesNothingUp(t *testing.T) {
	t.Parallel()
	w, app, token := withToken(t, totp.Params{})
	byCode := func(digits string) account.Proof {
		return account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: digits}}
	}
	phone, codes := byCode(code(t, app, w.now)), three(t, token, w.now)
	typo := missed(missed(codes, 0), 1)
	before := encode(t, w.a)
	mustReason(t, w.a.Resynchronize(w.moment(), tokenID, typo, phone), account.WrongCode)
	if !bytes.Equal(encode(t, w.a), before) {
		t.Error("a typing error has used something up")
	}
	mustReason(t, w.a.Resynchronize(w.moment(), tokenID, codes, byCode(w.wrong())), account.WrongCode)
	w.reload()
	if x := w.a.Authenticators()[1]; x.Last >= token.Step(w.now)-2 {
		t.Error("a wrong proof has used the codes up")
	}
	mustReason(t, w.copied().Resynchronize(w.moment(), tokenID, codes, phone), "")
	for _, n := range []int{-1, 0, 1} {
		a, proof := w.copied(), byCode(code(t, token, w.now.Add(time.Duration(n)*30*time.Second)))
		must(t, a.Resynchronize(w.moment(), tokenID, codes, proof))
		if x := a.Authenticators()[1]; x.Last != token.Step(w.now)+int64(max(n, 0)) || x.Offset != 0 {
			t.Errorf("%d: %+v", n, x)
		}
	}
}
