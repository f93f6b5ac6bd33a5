package model

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// What is held against the model after each operation, and apart from it.

// compareGone checks, apart from the model, that nothing of what was set up is
// stored any more where nothing is set up, and no recovery code in clear where
// none is to be shown again.
func (r *modelRun) compareGone(u *modelUser) {
	r.t.Helper()
	for i, codes := range u.packed {
		shows := u.account.kept && u.account.codesLeft() > 0 && i == len(u.packed)-1
		if !shows && bytes.Contains(r.sealed, codes) {
			r.fatalf("recovery codes of %s are stored in clear", u.name)
		}
	}
	if u.account.enrolled() {
		return
	}
	for _, secret := range u.raw {
		s := u.account.setup
		if bytes.Contains(r.sealed, secret) && (s == nil || !bytes.Equal(s.app.key.Secret().Reveal(), secret)) {
			r.fatalf("a secret of %s is stored although nothing is set up", u.name)
		}
	}
}

// compareUntouched checks, apart from the model, that a denial changes nothing
// about the factors.
func (r *modelRun) compareUntouched(u *modelUser, before enrollment.Status) {
	r.t.Helper()
	after := u.status
	same := func(x, y enrollment.Authenticator) bool {
		return x.ID == y.ID && x.Name == y.Name && x.Added.Equal(y.Added)
	}
	if !slices.EqualFunc(before.Authenticators, after.Authenticators, same) || before.CodesTotal != after.CodesTotal || before.CodesLeft != after.CodesLeft ||
		(before.Address == nil) != (after.Address == nil) || before.Enabled() != after.Enabled() || len(before.History) != len(after.History) {
		r.fatalf("what was denied has changed the account of %s:\n%+v\n%+v", u.name, before, after)
	}
}

// modelWords are the operations that are observed, in the words of the log.
var modelWords = map[string]enrollment.Operation{
	"Begin": "begin", "Confirm": "confirm", "Cancel": "cancel", "Answer": "answer", "Verify": "verify", "AnswerThree": "answer_three_codes", "VerifyThree": "verify_three_codes", "Resynchronize": "resynchronize", "Disable": "disable", "Remove": "remove",
	"RenewCodes": "renew_codes", "Codes": "recovery_codes", "SetupCodes": "setup_codes", "RenewalCodes": "renewal_codes", "NewCode": "new_code", "SignInWaived": "sign_in", "Trust": "trust_device", "Revoke": "revoke_device",
	"RevokeAll": "revoke_devices", "Reset": "reset", "ApproveReset": "approve_reset", "RefuseReset": "refuse_reset", "Unlock": "unlock",
	"Bypass": "bypass", "Erase": "erase", "Import": "import", "Export": "export", "Move": "move", "RequestReset": "request_reset", "CancelReset": "cancel_reset",
	"Rename": "rename", "RenameDevice": "rename_device",
	"Bind": "bind", "ConfirmAddress": "confirm_address", "Send": "send", "Unbind": "unbind",
}

// compareObserved checks that each event was counted, and then the answer, once,
// whatever it was.
func (r *modelRun) compareObserved(name string, a *modelAccount, no *modelNo) {
	r.t.Helper()
	var want []enrollment.Observation
	for _, q := range a.fresh {
		want = append(want, enrollment.Observation{Event: q.event.Kind, Factor: q.event.Factor})
	}
	if op, changes := modelWords[name]; changes { // a repair before a sign-in is not counted
		o := enrollment.Observation{Operation: op, Outcome: "ok"}
		if no != nil {
			o.Outcome, o.Factor = string(no.reason), no.factor
		}
		if r.failed {
			o.Outcome = "error"
		}
		want = append(want, o)
	}
	got := r.observed
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		g := got[i]
		if want[i].Factor == "" && g.Operation != "" {
			g.Factor = "" // of what was brought as a proof and perhaps not looked at
		}
		ok = g == want[i]
	}
	if !ok {
		r.fatalf("observed were %+v, want %+v", got, want)
	}
}

func (r *modelRun) compare(err error, no *modelNo) {
	r.t.Helper()
	var denied *enrollment.Denied
	switch {
	case no == nil && err != nil:
		r.fatalf("the Guard says %v, the model says yes", err)
	case no == nil:
	case !errors.As(err, &denied):
		r.fatalf("the Guard says %v, the model denies: %v", err, no)
	case denied.Reason != no.reason || denied.Factor != no.factor || !denied.RetryAt.Equal(no.retry) || denied.Skew != no.skew || denied.ThreeCodes != no.three:
		r.fatalf("the Guard denies: %s factor=%q retry=%v skew=%v three=%t\nthe model denies: %v",
			denied.Reason, denied.Factor, denied.RetryAt, denied.Skew, denied.ThreeCodes, no)
	}
	proving.CheckWait(r.t, denied)
}

// compareEvent holds an event against what it should be. Where administrators
// are wordy, a record that would be too long has lost texts.
func (r *modelRun) compareEvent(u *modelUser, e, want enrollment.Event) {
	r.t.Helper()
	if e.ID == "" || e.UserID != u.name {
		r.fatalf("%s: event %+v", u.name, e)
	}
	e.ID, e.UserID = "", ""
	if r.wordy && e.Actor == "" && e.Name == "" && e.Method == "" && e.Note == "" && e.Origin == "" {
		want.Actor, want.Name, want.Method, want.Note, want.Origin = "", "", "", "", ""
	}
	if e != want {
		r.fatalf("%s: event %+v, want %+v", u.name, e, want)
	}
}

// inspect compares the stored records and the Status of every user with the
// model.
func (r *modelRun) inspect() {
	r.t.Helper()
	now := r.now()
	for _, u := range r.users {
		rec, err := r.store.Straight.Load(r.t.Context(), u.name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			r.fatalf("loading %s: %v", u.name, err)
		}
		written := rec.Version != u.record.Version
		switch {
		case written != u.account.dirty:
			r.fatalf("%s: the record was written: %t, want %t", u.name, written, u.account.dirty)
		case written && rec.Version == u.record.Version:
			r.fatalf("%s: version %d follows itself", u.name, rec.Version)
		case !written && (!bytes.Equal(rec.Data, u.record.Data) || rec.State != u.record.State || !rec.Due.Equal(u.record.Due)):
			r.fatalf("%s: the record has changed under the same version", u.name)
		case rec.Version == 0:
		case rec.State != u.account.state():
			r.fatalf("%s: the record says %v, the model %v", u.name, rec.State, u.account.state())
		case !rec.Due.Equal(u.account.due()):
			r.fatalf("%s: the record is due %v, in the model %v", u.name, rec.Due, u.account.due())
		case written && !rec.Updated.Equal(now):
			r.fatalf("%s: the record was updated %v, want now", u.name, rec.Updated)
		}
		u.record = rec
		u.account.dirty = false
		r.compareStatus(u, now)

		// Whatever the throttles do in detail: 30 units, one more for each day
		// that the clock went forward, and at most five for each grant. App codes
		// can spend 63 before they are disabled, and a grant leaves 17 of them
		// spent at least.
		days := r.forward / modelDay.Seconds()
		paid := 30*float64(1+u.fresh) + days + 5*float64(u.grants)
		apps := 63*float64(1+u.fresh) + days + (63-17)*float64(u.grants)
		if float64(u.guesses) > apps || float64(u.delivered) > paid {
			r.fatalf("%s: wrong guesses worth %d and %d units were evaluated, more than %.1f and %.1f", u.name, u.guesses, u.delivered, apps, paid)
		}
		// Users who bring codes of another system begin with 30 each time.
		if paid := paid + 30*float64(u.grants); float64(u.others) > paid {
			r.fatalf("%s: %d wrong guesses at codes of another system were evaluated, more than %.1f", u.name, u.others, paid)
		}
		if len(rec.Data) > store.MaxData {
			r.fatalf("%s: the record is %d bytes long", u.name, len(rec.Data))
		}
	}
}

func (r *modelRun) compareStatus(u *modelUser, now time.Time) {
	r.t.Helper()
	s, err := r.guard.Status(r.t.Context(), u.name)
	if err != nil {
		r.fatalf("Status of %s: %v", u.name, err)
	}
	a := u.view(now)
	a.limits = r.limits // as they are now
	want := enrollment.Status{
		State: a.state(), CodesLeft: a.codesLeft(), CodesTotal: len(a.codes) + len(a.imported), LastSignIn: a.lastSignIn, LastFactor: a.lastFactor,
		Devices: len(a.trusted(now)), MustEnroll: a.mustEnroll(now),
		Authenticators: []enrollment.Authenticator{}, Locks: append([]enrollment.Lock{}, a.locks(now)...),
		Changes: r.changes(a, now), NextMessage: a.nextMessage(now),
	}
	for _, x := range a.apps {
		want.Authenticators = append(want.Authenticators, enrollment.Authenticator{ID: x.id, Name: x.name, Added: x.added, Used: x.used, HardwareToken: x.hardware, Short: x.short(), Digits: x.key.Params().Digits})
		if x.short() {
			want.ReplaceBy = a.limits.short
		}
	}
	if a.setup != nil {
		want.SetupExpires = a.setup.expires
	}
	if a.address.channel != "" {
		address := a.address.public()
		want.Address = &address
	}
	if a.bypassed(now) {
		want.BypassUntil = a.bypassUntil
	}
	if a.reset.open {
		want.Reset = &enrollment.ResetRequest{Asked: a.reset.asked, Matures: a.reset.matures}
	}
	u.status = s
	got := s
	r.checkStamp(u, a, got.Stamp)
	got.History, got.Stamp = nil, ""
	if !reflect.DeepEqual(got, want) {
		r.fatalf("Status of %s:\n%+v\nthe model:\n%+v", u.name, got, want)
	}
	if s.Devices > 10 || len(s.Authenticators) > 3 || len(s.History) > 20 {
		r.fatalf("Status of %s: too much of something: %+v", u.name, s)
	}
	// A record that would be too long has lost the oldest history.
	if len(s.History) > len(a.history) || len(s.History) < len(a.history) && !r.wordy {
		r.fatalf("%s: history of %d events, want %d", u.name, len(s.History), len(a.history))
	}
	for i, e := range s.History {
		r.compareEvent(u, e, a.history[len(a.history)-1-i])
	}
}

// finish checks, apart from the model, that no secret has come out.
func (r *modelRun) finish() {
	if r.logged == nil {
		return
	}
	text := r.logged.String()
	for _, u := range r.users {
		text += fmt.Sprintf("%+v", u.status)
	}
	for _, u := range r.users {
		for _, secret := range u.secrets {
			if strings.Contains(text, secret) || strings.Contains(text, strings.ReplaceAll(secret, "-", "")) {
				r.fatalf("a secret of %s stands in the log or in Status", u.name)
			}
		}
	}
	for _, t := range slices.Concat(r.challenges, r.receipts, r.setups, r.bindings) {
		if strings.Contains(text, t.text) {
			r.fatalf("a token stands in the log or in Status")
		}
	}
}

// modelReversed returns the texts from behind.
func modelReversed(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Reverse(texts)
	return texts
}
