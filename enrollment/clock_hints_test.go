package enrollment_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// hints returns what is counted by now, and lets the time pass that it takes to
// be told.
func hints(k *proving.Kit) enrollment.ClockHints {
	k.Pass(15 * time.Minute)
	return k.Guard.ClockHints()
}

func wantHints(t *testing.T, k *proving.Kit, wrong, other uint64) {
	t.Helper()
	if got, want := hints(k), (enrollment.ClockHints{WrongCodes: wrong, RightAtOtherTime: other}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Every app code that was evaluated and was wrong is looked at, through whichever
// door it came, and no other code is.
func TestClockHintsCount(t *testing.T) {
	t.Parallel()
	doors := map[string]func(k *proving.Kit, alice *proving.Person, code string) error{
		"Answer": func(_ *proving.Kit, alice *proving.Person, code string) error {
			_, err := alice.Answer(code)
			return err
		},
		"Verify": func(_ *proving.Kit, alice *proving.Person, code string) error { return verified(alice, code) },
		"a proof": func(k *proving.Kit, _ *proving.Person, code string) error {
			return k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(code))
		},
	}
	for door, give := range doors {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			alice := k.Enroll("alice")
			k.Pass(time.Hour)
			for i, steps := range []int{-20, -2, +2, +20} {
				proving.Want(t, give(k, alice, alice.Code(steps)), enrollment.ReasonWrongCode)
				wantHints(t, k, uint64(i+1), uint64(i+1))
				k.Must(verified(alice, alice.Code()))
				k.Pass(time.Hour)
			}
			for _, steps := range []int{-21, +21} {
				proving.Want(t, give(k, alice, alice.Code(steps)), enrollment.ReasonWrongCode)
			}
			proving.Want(t, give(k, alice, alice.Wrong()), enrollment.ReasonWrongCode)
			wantHints(t, k, 7, 4)

			used := alice.Code() // is of another time soon, but was right in its own
			k.Must(verified(alice, used))
			proving.Want(t, give(k, alice, used), enrollment.ReasonReplayed)
			k.Pass(2 * time.Minute)
			proving.Want(t, give(k, alice, used), enrollment.ReasonWrongCode)
			wantHints(t, k, 8, 4)

			proving.Want(t, give(k, alice, "hello"), enrollment.ReasonMalformedCode)
			proving.Want(t, give(k, alice, k.Enroll("bob").Codes[0]), enrollment.ReasonWrongCode)
			for range 5 {
				_ = give(k, alice, alice.Wrong())
			}
			proving.Want(t, give(k, alice, alice.Code(4)), enrollment.ReasonLocked)
			wantHints(t, k, 12, 4)
		})
	}
}

// What concerns a setup or a message is not counted: at a setup the user is told
// about the clock, and a message has none.
func TestClockHintsAreOfSignIns(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app, 8))
	proving.Want(t, err, enrollment.ReasonClockSkew)
	k.Confirm("alice", setup, app)
	b, err := k.Guard.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{
		Channel: "sms", To: proving.Phone, Proof: enrollment.ByCode(k.Code(app)),
	})
	k.Must(err)
	_, err = k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, k.Inbox.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	_, err = k.Guard.Messages().Confirm(t.Context(), "alice", b.Token, k.Inbox.Code())
	k.Must(err)
	k.Pass(time.Hour)
	d, err := k.Guard.Messages().Send(t.Context(), enrollment.PurposeSignIn, k.Challenge("alice"))
	k.Must(err)
	k.Out(d.Challenge, k.Inbox.Wrong(), enrollment.ReasonWrongCode)
	wantHints(t, k, 0, 0)
	if got := new(enrollment.Guard).ClockHints(); got != (enrollment.ClockHints{}) {
		t.Errorf("a zero Guard has counted %+v", got)
	}
}

// A count is told when nothing of that time can be right any more, and not
// before, however long the steps of the app are.
func TestClockHintsAreLate(t *testing.T) {
	t.Parallel()
	for _, period := range []time.Duration{30 * time.Second, 119 * time.Second, 2 * time.Minute} {
		k := proving.New(t, func(c *enrollment.Config) { c.Params = totp.Params{Period: period} })
		alice := k.Enroll("alice")
		k.Pass(time.Hour)
		for range 120 * 60 { // at the end of a minute and the beginning of a step, if there is such a time
			if now := k.Now(); now.Second() != 59 || now.Unix()%int64(period/time.Second) != 0 {
				k.Pass(time.Second)
			}
		}
		ahead := int(10 * time.Minute / period)
		last := alice.Code(ahead)                                                           // that is looked for
		good := alice.Key.StepTime(alice.Key.Step(k.Now()) + int64(ahead) + 2).Sub(k.Now()) // for so long
		proving.Want(t, verified(alice, last), enrollment.ReasonWrongCode)
		told := time.Duration(0)
		for ; k.Guard.ClockHints() == (enrollment.ClockHints{}); told += time.Second {
			if k.Pass(time.Second); told > time.Hour {
				t.Fatal("it is never told")
			}
		}
		if told < good || told > 15*time.Minute {
			t.Errorf("%v: told after %v, and the code was good for %v", period, told, good)
		}
		k.Pass(good - time.Second - told)
		if err := verified(alice, last); err != nil {
			t.Errorf("%v: the code is not as good as it should be: %v", period, err)
		}
	}
}

// A clock that goes back holds what it has counted ahead of its time.
func TestClockHintsWaitForTheClock(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Pass(time.Hour)
	proving.Want(t, verified(alice, alice.Code(+4)), enrollment.ReasonWrongCode)
	k.Pass(-30 * time.Minute)
	wantHints(t, k, 0, 0)
	k.Pass(15 * time.Minute)
	wantHints(t, k, 1, 1)
}

// However many codes come in a second, few are looked at.
func TestClockHintsAreBounded(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	crowd := k.EnrollAll(proving.Users(10)...)
	k.Pass(time.Hour)
	for range 2 {
		for _, p := range crowd {
			for range 2 {
				proving.Want(t, verified(p, p.Code(+4)), enrollment.ReasonWrongCode)
			}
		}
		k.Pass(time.Second)
	}
	wantHints(t, k, 32, 32)
}

// Nobody else learns anything: whether a wrong code would be right at another time
// changes no answer, no log, no event, nothing that is observed, and nothing that
// is stored but what is random anyway.
func TestClockHintsAreForOperatorsAlone(t *testing.T) {
	t.Parallel()
	type traces struct {
		denied   []enrollment.Denied
		log      string
		observed []enrollment.Observation
		events   []enrollment.Event
		size     []int
		status   enrollment.Status
		hints    enrollment.ClockHints
	}
	run := func(code func(*proving.Person) string) (x traces) {
		k := proving.New(t)
		alice := k.Enroll("alice")
		k.Pass(time.Hour)
		k.Log()
		k.Observed()
		for range 6 {
			var denied *enrollment.Denied
			if err := verified(alice, code(alice)); !errors.As(err, &denied) {
				t.Fatal(err)
			}
			x.denied = append(x.denied, *denied)
			r, err := k.Store.Load(t.Context(), "alice")
			k.Must(err)
			x.size = append(x.size, len(r.Data))
			k.Pass(time.Second)
		}
		x.log, x.observed, x.events, x.status = k.Log(), k.Observed(), k.Events(), k.Status("alice")
		x.hints = hints(k)
		for i := range x.events {
			x.events[i].ID = ""
		}
		for i := range x.status.History {
			x.status.History[i].ID = ""
		}
		x.status.Authenticators[0].ID, x.status.Stamp = "", ""
		return x
	}
	off := run(func(p *proving.Person) string { return p.Code(+4) })
	wrong := run((*proving.Person).Wrong)
	if off.hints.RightAtOtherTime != 5 || wrong.hints.RightAtOtherTime != 0 || off.hints.WrongCodes != wrong.hints.WrongCodes {
		t.Errorf("%+v and %+v", off.hints, wrong.hints)
	}
	off.hints, wrong.hints = enrollment.ClockHints{}, enrollment.ClockHints{}
	off.log, wrong.log = untimed(off.log), untimed(wrong.log)
	if !reflect.DeepEqual(off, wrong) {
		t.Errorf("a code of another time leaves\n%+v, a wrong one\n%+v", off, wrong)
	}
}

// untimed returns a log without real times and without what is random.
func untimed(log string) string {
	var kept []string
	for word := range strings.FieldsSeq(log) {
		if !strings.HasPrefix(word, "time=") && !strings.HasPrefix(word, "id=") {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// A code is counted once, if its decision is stored, and only then.
func TestClockHintsComeAfterTheWrite(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Pass(time.Hour)
	k.Store.Nth(proving.Save, 1, proving.Fails(store.ErrConflict))
	proving.Want(t, verified(alice, alice.Code(+4)), enrollment.ReasonWrongCode)
	k.Store.LoseReply(proving.Save)
	proving.Want(t, verified(alice, alice.Code(+4)), enrollment.ReasonWrongCode)
	k.Store.Nth(proving.Save, 1, proving.Fails(context.DeadlineExceeded))
	proving.Want(t, verified(alice, alice.Code(+4)), proving.Fault)
	wantHints(t, k, 2, 2)
}
