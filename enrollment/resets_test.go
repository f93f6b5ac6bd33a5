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

// sweep waits until something of the user's is due, does it, and returns what
// was told.
func sweep(t *testing.T, k *proving.Kit, user string) []enrollment.EventKind {
	t.Helper()
	due := k.Record(user).Due
	if !due.After(k.Now()) {
		t.Fatalf("due %v at %v", due, k.Now())
	}
	k.Pass(due.Sub(k.Now()))
	k.Sweep()
	return proving.Kinds(k.Told())
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
	k.Must(silent.Cancel(t.Context(), "alice"))
}

// From the request to the approval.
func TestSelfServiceReset(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	resets := k.Guard.ResetRequests()
	k.Enroll("alice")
	challenge := k.Challenge("alice")
	k.Told()
	asked := k.Now()
	r, err := resets.Open(t.Context(), challenge)
	want := enrollment.ResetRequest{Asked: asked, Matures: asked.Add(3 * 24 * time.Hour)}
	if err != nil || r != want {
		t.Fatalf("%+v, %v", r, err)
	}
	k.WantTold(enrollment.Event{Kind: enrollment.EventResetRequested}) // at once
	if s := k.Status("alice"); s.Reset == nil || *s.Reset != want || !s.Enabled() {
		t.Errorf("%+v", s.Reset)
	}
	// Asking again changes nothing.
	k.Unchanged("alice", func() {
		again, err := resets.Open(t.Context(), challenge)
		if err != nil || again != want {
			t.Errorf("%+v, %v", again, err)
		}
	})
	// Nobody can hurry it.
	admin := k.Guard.Admin("root", "knows her")
	k.Unchanged("alice", func() {
		_, err := admin.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
		if d := proving.Want(t, err, enrollment.ReasonResetWaiting); !d.RetryAt.Equal(want.Matures) {
			t.Errorf("try again at %v", d.RetryAt)
		}
	})
	var kinds []enrollment.EventKind
	for k.Now().Before(want.Matures) {
		kinds = append(kinds, sweep(t, k, "alice")...)
	}
	if !slices.Equal(kinds, []enrollment.EventKind{enrollment.EventResetReminder, enrollment.EventResetReminder, enrollment.EventResetMatured}) {
		t.Errorf("told %v", kinds)
	}
	if !k.Status("alice").Enabled() {
		t.Fatal("carried out without an approval")
	}
	ticket, err := admin.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	k.Must(err)
	k.WantTold(enrollment.Event{Kind: enrollment.EventReset, Actor: "root", Note: "knows her"})
	if s := k.Status("alice"); s.Reset != nil || s.State != store.Disabled || !k.Record("alice").Due.IsZero() {
		t.Errorf("%+v", s)
	}
	_, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
	proving.Want(t, err, enrollment.ReasonTicketRequired)
	k.EnrollWith("alice", enrollment.BeginOptions{Ticket: ticket})
}

// The request takes what says that the first factor was right, just now, at a
// sign-in.
func TestRequestNeedsAChallenge(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	resets := k.Guard.ResetRequests()
	alice := k.Enroll("alice")
	request := func(challenge enrollment.Challenge) error {
		_, err := resets.Open(t.Context(), challenge)
		return err
	}
	other := k.SignIn("alice", enrollment.SignInOptions{Purpose: "password-reset"}).Challenge
	spent := k.Challenge("alice")
	_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, spent, alice.Code())
	k.Must(err)
	void := k.Challenge("alice")
	_, err = k.Guard.Verify(t.Context(), "alice", "x", alice.Codes[0])
	k.Must(err)
	old := k.Challenge("alice")
	k.Unchanged("alice", func() {
		proving.Want(t, request(enrollment.Challenge{}), enrollment.ReasonChallengeInvalid)
		proving.Want(t, request(enrollment.ChallengeOf("alice")), enrollment.ReasonChallengeInvalid)
		proving.Want(t, request(enrollment.ChallengeOf(alice.First.Receipt.Reveal())), enrollment.ReasonChallengeInvalid)
		proving.Want(t, request(other), enrollment.ReasonChallengeInvalid)
		proving.Want(t, request(spent), enrollment.ReasonChallengeVoid)
		proving.Want(t, request(void), enrollment.ReasonChallengeVoid)
		k.Pass(enrollment.ChallengeTTL)
		proving.Want(t, request(old), enrollment.ReasonChallengeExpired)
	})
	fresh := k.Challenge("alice")
	k.Must(request(fresh))
	// The challenge is not spent by it.
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, fresh, alice.Code())
	k.Must(err)
	proving.Want(t, request(fresh), enrollment.ReasonChallengeSpent)
	// The code has cancelled the request, and the next one waits for a day.
	err = request(k.Challenge("alice"))
	if d := proving.Want(t, err, enrollment.ReasonTooManyResets); !d.RetryAt.Equal(k.Now().Add(24 * time.Hour)) {
		t.Errorf("try again at %v", d.RetryAt)
	}
}

// How a request ends before its time.
func TestResetIsClosed(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		close func(k *proving.Kit, r enrollment.ResetRequests, alice *proving.Person) error
		want  enrollment.Event
	}{
		"by the owner": {func(_ *proving.Kit, r enrollment.ResetRequests, _ *proving.Person) error {
			return r.Cancel(t.Context(), "alice")
		}, enrollment.Event{Kind: enrollment.EventResetCancelled}},
		"by an administrator": {func(k *proving.Kit, _ enrollment.ResetRequests, _ *proving.Person) error {
			return k.Guard.Admin("root", "not her").RefuseReset(t.Context(), "alice")
		}, enrollment.Event{Kind: enrollment.EventResetRefused, Actor: "root", Note: "not her"}},
		"by a code": {func(_ *proving.Kit, _ enrollment.ResetRequests, alice *proving.Person) error {
			alice.Verify("x")
			return nil
		}, enrollment.Event{Kind: enrollment.EventResetCancelled, Factor: enrollment.FactorTOTP}},
	} {
		k := proving.New(t, automatic)
		resets := k.Guard.ResetRequests()
		alice := k.Enroll("alice")
		_, err := resets.Open(t.Context(), k.Challenge("alice"))
		k.Must(err)
		sweep(t, k, "alice")
		if err := x.close(k, resets, alice); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		k.WantTold(x.want)
		if k.Status("alice").Reset != nil || !k.Record("alice").Due.IsZero() {
			t.Errorf("%s: it is open", name)
		}
		k.Unchanged("alice", func() {
			proving.Want(t, resets.Cancel(t.Context(), "alice"), enrollment.ReasonNoReset)
			proving.Want(t, k.Guard.Admin("root", "x").RefuseReset(t.Context(), "alice"), enrollment.ReasonNoReset)
			_, err := k.Guard.Admin("root", "x").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
			proving.Want(t, err, enrollment.ReasonNoReset)
		})
		k.Pass(31 * 24 * time.Hour)
		k.Sweep()
		if !k.Status("alice").Enabled() {
			t.Errorf("%s: it was carried out all the same", name)
		}
	}
}

// Without an approval, where the host wants it so.
func TestAutomaticReset(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.ResetWait, c.AutoReset = 2*24*time.Hour, true })
	k.Enroll("alice")
	r, err := k.Guard.ResetRequests().Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	k.Told()
	if kinds := sweep(t, k, "alice"); !slices.Equal(kinds, []enrollment.EventKind{enrollment.EventResetReminder}) {
		t.Errorf("told %v", kinds)
	}
	k.Pass(k.Record("alice").Due.Sub(k.Now()))
	if !k.Now().Equal(r.Matures) || !k.Status("alice").Enabled() {
		t.Fatalf("due at %v", k.Now())
	}
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventReset, Method: "self-service"})
	if s := k.Status("alice"); s.State != store.Disabled || s.Reset != nil {
		t.Errorf("%+v", s)
	}
}

// An owner whom nobody could tell gets the wait once more.
func TestAutomaticResetWaitsForTheNews(t *testing.T) {
	t.Parallel()
	k := proving.New(t, automatic)
	k.Enroll("alice")
	k.Told()
	k.FailNotify(errors.New("the queue is full"))
	r, err := k.Guard.ResetRequests().Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	for range 10 { // days without anybody who takes the news
		k.Pass(24 * time.Hour)
		k.Sweep()
	}
	if !k.Status("alice").Enabled() {
		t.Fatal("carried out although nobody has heard of it")
	}
	k.FailNotify(nil)
	k.Pass(24 * time.Hour)
	k.Sweep()
	told := k.Told()
	if len(told) == 0 || told[0].Kind != enrollment.EventResetRequested {
		t.Fatalf("told of %+v", told)
	}
	until := k.Status("alice").Reset.Matures
	if !until.After(k.Now()) || !until.After(r.Matures) {
		t.Errorf("matures %v from now", until.Sub(k.Now()))
	}
	for k.Now().Before(until) {
		sweep(t, k, "alice")
	}
	if k.Status("alice").Enabled() {
		t.Error("not carried out")
	}
}

// After thirty days without an approval nothing is left of it, and the account
// is not looked at for ever.
func TestResetLapses(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	r, err := k.Guard.ResetRequests().Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	k.Pass(r.Matures.Add(30 * 24 * time.Hour).Sub(k.Now()))
	if k.Status("alice").Reset != nil {
		t.Error("it is open")
	}
	_, err = k.Guard.Admin("root", "x").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	proving.Want(t, err, enrollment.ReasonNoReset)
	k.Told()
	k.Sweep()
	k.WantTold()
	if !k.Record("alice").Due.IsZero() || !k.Status("alice").Enabled() {
		t.Errorf("due %v", k.Record("alice").Due)
	}
}

// A challenge that stands for a message lives longer, and does not say any later
// that the first factor was right.
func TestRequestByTheChallengeOfAMessage(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	resets := k.Guard.ResetRequests()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	request := func(challenge enrollment.Challenge) error {
		_, err := resets.Open(t.Context(), challenge)
		return err
	}
	signIn := k.Challenge("alice")
	k.Pass(enrollment.ChallengeTTL - time.Minute)
	sent := p.Deliver(signIn)
	if left := sent.Expires.Sub(k.Now()); left <= time.Minute {
		t.Fatalf("the challenge of the message lives for %v", left)
	}
	k.Pass(time.Minute)
	proving.Want(t, request(signIn), enrollment.ReasonChallengeExpired)
	proving.Want(t, request(sent.Challenge), enrollment.ReasonChallengeExpired)
	proving.Want(t, answer(k, sent.Challenge, p.Inbox.Wrong()), enrollment.ReasonWrongCode) // it is still one
	if k.Status("alice").Reset != nil {
		t.Error("a request is open")
	}

	signIn = k.Challenge("alice")
	k.Pass(enrollment.ChallengeTTL - time.Minute)
	sent = p.Deliver(signIn)
	k.Pass(time.Minute - time.Microsecond)
	k.Must(request(sent.Challenge))
}

// A queue that was down until just before the request matures does not take the
// owner's time for cancelling it.
func TestResetThatIsHeardOfLate(t *testing.T) {
	t.Parallel()
	for _, auto := range []bool{false, true} {
		k := proving.New(t, func(c *enrollment.Config) { c.AutoReset = auto })
		k.Enroll("alice")
		k.Told()
		k.FailNotify(errors.New("the queue is full"))
		r, err := k.Guard.ResetRequests().Open(t.Context(), k.Challenge("alice"))
		k.Must(err)
		admin := k.Guard.Admin("root", "x")
		k.Pass(r.Matures.Add(-20 * time.Minute).Sub(k.Now()))
		k.FailNotify(nil)
		k.Sweep()
		heard := k.Now()
		if told := k.Told(); len(told) == 0 || told[0].Kind != enrollment.EventResetRequested {
			t.Fatalf("told %+v", told)
		}
		want := enrollment.ResetRequest{Asked: heard, Matures: heard.Add(3 * 24 * time.Hour)}
		if s := k.Status("alice"); s.Reset == nil || *s.Reset != want {
			t.Errorf("auto %v: %+v, want %+v", auto, s.Reset, want)
		}
		k.Pass(r.Matures.Sub(k.Now()))
		_, err = admin.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
		if d := proving.Want(t, err, enrollment.ReasonResetWaiting); !d.RetryAt.Equal(want.Matures) {
			t.Errorf("auto %v: try again at %v", auto, d.RetryAt)
		}
		for k.Now().Before(want.Matures) {
			if !k.Status("alice").Enabled() {
				t.Fatalf("auto %v: switched off %v after it was heard of", auto, k.Now().Sub(heard))
			}
			sweep(t, k, "alice")
		}
		if k.Status("alice").Enabled() == auto {
			t.Errorf("auto %v: enabled is %v", auto, !auto)
		}
	}
}

// Nobody approves what the owner could not be told of.
func TestResetThatIsNotHeardOf(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Told()
	k.FailNotify(errors.New("the queue is full"))
	r, err := k.Guard.ResetRequests().Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	k.Pass(r.Matures.Sub(k.Now()))
	k.Unchanged("alice", func() {
		_, err := k.Guard.Admin("root", "x").ApproveReset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
		if d := proving.Want(t, err, enrollment.ReasonOwnerNotTold); !d.RetryAt.IsZero() {
			t.Errorf("try again at %v", d.RetryAt)
		}
	})
}
