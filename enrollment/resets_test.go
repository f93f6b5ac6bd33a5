package enrollment_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// automatic carries out resets that nobody has approved.
func automatic(c *enrollment.Config) { c.AutoReset = true }

// due returns when a sweep looks at the account.
func (o *office) due(user string) time.Time {
	o.t.Helper()
	rec, err := o.store.Load(o.t.Context(), user)
	if err != nil {
		o.t.Fatal(err)
	}
	return rec.Due
}

// sweep waits until something is due, and does it.
func (o *office) sweep(user string) []enrollment.EventKind {
	o.t.Helper()
	due := o.due(user)
	if !due.After(o.clock.Now()) {
		o.t.Fatalf("due %v at %v", due, o.clock.Now())
	}
	o.pass(due.Sub(o.clock.Now()))
	o.sweepNow()
	var kinds []enrollment.EventKind
	for _, e := range o.take() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// sweepNow does what is due.
func (o *office) sweepNow() {
	o.t.Helper()
	d, err := enrollment.NewDirectory(o.guard, o.store)
	if err != nil {
		o.t.Fatal(err)
	}
	if swept, err := d.Sweep(o.t.Context()); err != nil || swept.Failed.Total != 0 {
		o.t.Fatalf("%v, failed %+v", err, swept.Failed)
	}
}

// A reset that nobody hears of is a way around the second factor.
func TestResetsNeedNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	silent := k.Node(func(c *enrollment.Config) { c.Notify = nil }).ResetRequests()
	k.Unchanged("alice", func() {
		_, err := silent.Open(t.Context(), alice.Challenge())
		if err == nil || errors.As(err, new(*enrollment.Denied)) || !strings.Contains(err.Error(), "Config.Notify") {
			t.Errorf("without Notify: %v", err)
		}
	})
	alice.AskReset()
	granted(t, silent.Cancel(t.Context(), "alice"))
}

// From the request to the approval.
func TestSelfServiceReset(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	resets := o.guard.ResetRequests()
	o.enroll("alice")
	challenge := o.signIn("alice", enrollment.SignInOptions{}).Challenge
	o.take()
	asked := o.clock.Now()
	r, err := resets.Open(t.Context(), challenge)
	want := enrollment.ResetRequest{Asked: asked, Matures: asked.Add(3 * 24 * time.Hour)}
	if err != nil || r != want {
		t.Fatalf("%+v, %v", r, err)
	}
	o.wantTold(enrollment.Event{Kind: enrollment.EventResetRequested}) // at once
	if s := o.status("alice"); s.Reset == nil || *s.Reset != want || !s.Enabled() {
		t.Errorf("%+v", s.Reset)
	}
	// Asking again changes nothing.
	o.unchanged("alice", func() {
		again, err := resets.Open(t.Context(), challenge)
		if err != nil || again != want {
			t.Errorf("%+v, %v", again, err)
		}
	})
	// Nobody can hurry it.
	admin := o.guard.Admin("root", "knows her")
	o.unchanged("alice", func() {
		_, err := admin.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
		if d := wantReason(t, err, enrollment.ReasonResetWaiting); !d.RetryAt.Equal(want.Matures) {
			t.Errorf("try again at %v", d.RetryAt)
		}
	})
	var kinds []enrollment.EventKind
	for o.clock.Now().Before(want.Matures) {
		kinds = append(kinds, o.sweep("alice")...)
	}
	if !slices.Equal(kinds, []enrollment.EventKind{enrollment.EventResetReminder, enrollment.EventResetReminder, enrollment.EventResetMatured}) {
		t.Errorf("told %v", kinds)
	}
	if !o.status("alice").Enabled() {
		t.Fatal("carried out without an approval")
	}
	ticket, err := admin.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	granted(t, err)
	o.wantTold(enrollment.Event{Kind: enrollment.EventReset, Actor: "root", Note: "knows her"})
	if s := o.status("alice"); s.Reset != nil || s.State != store.Disabled || !o.due("alice").IsZero() {
		t.Errorf("%+v", s)
	}
	_, err = o.guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a"})
	wantReason(t, err, enrollment.ReasonTicketRequired)
	o.enrollWith("alice", ticket.Reveal())
}

// The request takes what says that the first factor was right, just now, at a
// sign-in.
func TestRequestNeedsAChallenge(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	resets := o.guard.ResetRequests()
	alice := o.enroll("alice")
	request := func(challenge string) error {
		_, err := resets.Open(t.Context(), challenge)
		return err
	}
	other := o.signIn("alice", enrollment.SignInOptions{Purpose: "password-reset"}).Challenge
	spent := o.signIn("alice", enrollment.SignInOptions{}).Challenge
	_, err := o.guard.Answer(t.Context(), enrollment.PurposeSignIn, spent, alice.code())
	granted(t, err)
	void := o.signIn("alice", enrollment.SignInOptions{}).Challenge
	_, err = o.guard.Verify(t.Context(), "alice", "x", alice.codes[0])
	granted(t, err)
	old := o.signIn("alice", enrollment.SignInOptions{}).Challenge
	o.unchanged("alice", func() {
		wantReason(t, request(""), enrollment.ReasonChallengeInvalid)
		wantReason(t, request("alice"), enrollment.ReasonChallengeInvalid)
		wantReason(t, request(alice.first.Receipt), enrollment.ReasonChallengeInvalid)
		wantReason(t, request(other), enrollment.ReasonChallengeInvalid)
		wantReason(t, request(spent), enrollment.ReasonChallengeVoid)
		wantReason(t, request(void), enrollment.ReasonChallengeVoid)
		o.pass(enrollment.ChallengeTTL)
		wantReason(t, request(old), enrollment.ReasonChallengeExpired)
	})
	fresh := o.signIn("alice", enrollment.SignInOptions{}).Challenge
	granted(t, request(fresh))
	// The challenge is not spent by it.
	_, err = o.guard.Answer(t.Context(), enrollment.PurposeSignIn, fresh, alice.code())
	granted(t, err)
	wantReason(t, request(fresh), enrollment.ReasonChallengeSpent)
	// The code has cancelled the request, and the next one waits for a day.
	err = request(o.signIn("alice", enrollment.SignInOptions{}).Challenge)
	if d := wantReason(t, err, enrollment.ReasonTooManyResets); !d.RetryAt.Equal(o.clock.Now().Add(24 * time.Hour)) {
		t.Errorf("try again at %v", d.RetryAt)
	}
}

// How a request ends before its time.
func TestResetIsClosed(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		close func(o *office, r enrollment.ResetRequests, alice *client) error
		want  enrollment.Event
	}{
		"by the owner": {func(_ *office, r enrollment.ResetRequests, _ *client) error {
			return r.Cancel(t.Context(), "alice")
		}, enrollment.Event{Kind: enrollment.EventResetCancelled}},
		"by an administrator": {func(o *office, _ enrollment.ResetRequests, _ *client) error {
			return o.guard.Admin("root", "not her").RefuseReset(t.Context(), "alice")
		}, enrollment.Event{Kind: enrollment.EventResetRefused, Actor: "root", Note: "not her"}},
		"by a code": {func(_ *office, _ enrollment.ResetRequests, alice *client) error {
			alice.verify("x")
			return nil
		}, enrollment.Event{Kind: enrollment.EventResetCancelled, Factor: enrollment.FactorTOTP}},
	} {
		o := newOffice(t, automatic)
		resets := o.guard.ResetRequests()
		alice := o.enroll("alice")
		_, err := resets.Open(t.Context(), o.signIn("alice", enrollment.SignInOptions{}).Challenge)
		granted(t, err)
		o.sweep("alice")
		if err := x.close(o, resets, alice); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		o.wantTold(x.want)
		if o.status("alice").Reset != nil || !o.due("alice").IsZero() {
			t.Errorf("%s: it is open", name)
		}
		o.unchanged("alice", func() {
			wantReason(t, resets.Cancel(t.Context(), "alice"), enrollment.ReasonNoReset)
			wantReason(t, o.guard.Admin("root", "x").RefuseReset(t.Context(), "alice"), enrollment.ReasonNoReset)
			_, err := o.guard.Admin("root", "x").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
			wantReason(t, err, enrollment.ReasonNoReset)
		})
		o.pass(31 * 24 * time.Hour)
		o.sweepNow()
		if !o.status("alice").Enabled() {
			t.Errorf("%s: it was carried out all the same", name)
		}
	}
}

// Without an approval, where the host wants it so.
func TestAutomaticReset(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(c *enrollment.Config) { c.ResetWait, c.AutoReset = 2*24*time.Hour, true })
	o.enroll("alice")
	r, err := o.guard.ResetRequests().Open(t.Context(), o.signIn("alice", enrollment.SignInOptions{}).Challenge)
	granted(t, err)
	o.take()
	if kinds := o.sweep("alice"); !slices.Equal(kinds, []enrollment.EventKind{enrollment.EventResetReminder}) {
		t.Errorf("told %v", kinds)
	}
	o.pass(o.due("alice").Sub(o.clock.Now()))
	if !o.clock.Now().Equal(r.Matures) || !o.status("alice").Enabled() {
		t.Fatalf("due at %v", o.clock.Now())
	}
	o.sweepNow()
	o.wantTold(enrollment.Event{Kind: enrollment.EventReset, Method: "self-service"})
	if s := o.status("alice"); s.State != store.Disabled || s.Reset != nil {
		t.Errorf("%+v", s)
	}
}

// An owner whom nobody could tell gets the wait once more.
func TestAutomaticResetWaitsForTheNews(t *testing.T) {
	t.Parallel()
	o := newOffice(t, automatic)
	o.enroll("alice")
	o.take()
	o.notify = errors.New("the queue is full")
	r, err := o.guard.ResetRequests().Open(t.Context(), o.signIn("alice", enrollment.SignInOptions{}).Challenge)
	granted(t, err)
	for range 10 { // days without anybody who takes the news
		o.pass(24 * time.Hour)
		o.sweepNow()
	}
	if !o.status("alice").Enabled() {
		t.Fatal("carried out although nobody has heard of it")
	}
	o.notify = nil
	o.pass(24 * time.Hour)
	o.sweepNow()
	told := o.take()
	if len(told) == 0 || told[0].Kind != enrollment.EventResetRequested {
		t.Fatalf("told of %+v", told)
	}
	until := o.status("alice").Reset.Matures
	if !until.After(o.clock.Now()) || !until.After(r.Matures) {
		t.Errorf("matures %v from now", until.Sub(o.clock.Now()))
	}
	for o.clock.Now().Before(until) {
		o.sweep("alice")
	}
	if o.status("alice").Enabled() {
		t.Error("not carried out")
	}
}

// After thirty days without an approval nothing is left of it, and the account
// is not looked at for ever.
func TestResetLapses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enroll("alice")
	r, err := o.guard.ResetRequests().Open(t.Context(), o.signIn("alice", enrollment.SignInOptions{}).Challenge)
	granted(t, err)
	o.pass(r.Matures.Add(30 * 24 * time.Hour).Sub(o.clock.Now()))
	if o.status("alice").Reset != nil {
		t.Error("it is open")
	}
	_, err = o.guard.Admin("root", "x").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	wantReason(t, err, enrollment.ReasonNoReset)
	o.take()
	o.sweepNow()
	o.wantTold()
	if !o.due("alice").IsZero() || !o.status("alice").Enabled() {
		t.Errorf("due %v", o.due("alice"))
	}
}

// A challenge that stands for a message lives longer, and does not say any later
// that the first factor was right.
func TestRequestByTheChallengeOfAMessage(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	resets := p.Guard.ResetRequests()
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	request := func(challenge string) error {
		_, err := resets.Open(t.Context(), challenge)
		return err
	}
	signIn := p.challenge("alice", enrollment.SignInOptions{}).Challenge
	p.Clock.Advance(enrollment.ChallengeTTL - time.Minute)
	sent := p.send(signIn)
	if left := sent.Expires.Sub(p.Clock.Now()); left <= time.Minute {
		t.Fatalf("the challenge of the message lives for %v", left)
	}
	p.Clock.Advance(time.Minute)
	wantReason(t, request(signIn), enrollment.ReasonChallengeExpired)
	wantReason(t, request(sent.Challenge), enrollment.ReasonChallengeExpired)
	p.want(p.answer(sent.Challenge, p.inbox.wrong(t)), enrollment.ReasonWrongCode) // it is still one
	if p.status("alice").Reset != nil {
		t.Error("a request is open")
	}

	signIn = p.challenge("alice", enrollment.SignInOptions{}).Challenge
	p.Clock.Advance(enrollment.ChallengeTTL - time.Minute)
	sent = p.send(signIn)
	p.Clock.Advance(time.Minute - time.Microsecond)
	granted(t, request(sent.Challenge))
}

// A queue that was down until just before the request matures does not take the
// owner's time for cancelling it.
func TestResetThatIsHeardOfLate(t *testing.T) {
	t.Parallel()
	for _, auto := range []bool{false, true} {
		o := newOffice(t, func(c *enrollment.Config) { c.AutoReset = auto })
		o.enroll("alice")
		o.take()
		o.notify = errors.New("the queue is full")
		r, err := o.guard.ResetRequests().Open(t.Context(), o.signIn("alice", enrollment.SignInOptions{}).Challenge)
		granted(t, err)
		admin := o.guard.Admin("root", "x")
		o.pass(r.Matures.Add(-20 * time.Minute).Sub(o.clock.Now()))
		o.notify = nil
		o.sweepNow()
		heard := o.clock.Now()
		if told := o.take(); len(told) == 0 || told[0].Kind != enrollment.EventResetRequested {
			t.Fatalf("told %+v", told)
		}
		want := enrollment.ResetRequest{Asked: heard, Matures: heard.Add(3 * 24 * time.Hour)}
		if s := o.status("alice"); s.Reset == nil || *s.Reset != want {
			t.Errorf("auto %v: %+v, want %+v", auto, s.Reset, want)
		}
		o.pass(r.Matures.Sub(o.clock.Now()))
		_, err = admin.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
		if d := wantReason(t, err, enrollment.ReasonResetWaiting); !d.RetryAt.Equal(want.Matures) {
			t.Errorf("auto %v: try again at %v", auto, d.RetryAt)
		}
		for o.clock.Now().Before(want.Matures) {
			if !o.status("alice").Enabled() {
				t.Fatalf("auto %v: switched off %v after it was heard of", auto, o.clock.Now().Sub(heard))
			}
			o.sweep("alice")
		}
		if o.status("alice").Enabled() == auto {
			t.Errorf("auto %v: enabled is %v", auto, !auto)
		}
	}
}

// Nobody approves what the owner could not be told of.
func TestResetThatIsNotHeardOf(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enroll("alice")
	o.take()
	o.notify = errors.New("the queue is full")
	r, err := o.guard.ResetRequests().Open(t.Context(), o.signIn("alice", enrollment.SignInOptions{}).Challenge)
	granted(t, err)
	o.pass(r.Matures.Sub(o.clock.Now()))
	o.unchanged("alice", func() {
		_, err := o.guard.Admin("root", "x").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
		if d := wantReason(t, err, enrollment.ReasonResetWaiting); !d.RetryAt.IsZero() {
			t.Errorf("try again at %v", d.RetryAt)
		}
	})
}
