package proving

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Person is somebody who is enrolled.
type Person struct {
	ID    string
	Key   totp.Key           // what the authenticator app holds
	Codes []string           // recovery codes, as they were shown
	First enrollment.Success // of the confirmation

	Kit *Kit // which the person is enrolled with
}

// Begin begins a setup, and returns what the app that scans it holds, or the hardware
// token. Without a
// proof, the password was right just now.
func (k *Kit) Begin(user string, o enrollment.BeginOptions) (enrollment.Setup, totp.Key) {
	k.t.Helper()
	if o.Account == "" {
		o.Account = "account"
	}
	if reflect.ValueOf(o.Proof).IsZero() {
		o.Proof = enrollment.ByReauth("password")
	}
	setup, err := k.Guard.Begin(k.t.Context(), user, o)
	k.Must(err)
	if !o.HardwareToken.IsZero() {
		return setup, o.HardwareToken
	}
	return setup, KeyOf(k.t, setup)
}

// Confirm types in the code that the app shows, and lets its step pass.
func (k *Kit) Confirm(user string, setup enrollment.Setup, app totp.Key) enrollment.Confirmed {
	k.t.Helper()
	done, err := k.Guard.Confirm(k.t.Context(), user, setup.Token, k.Code(app))
	k.Must(err)
	k.NextCode(app)
	return done
}

// Enroll enables two-factor authentication for the user, and lets the code's
// step pass.
func (k *Kit) Enroll(user string) *Person {
	k.t.Helper()
	return k.EnrollWith(user, enrollment.BeginOptions{})
}

// EnrollWith is Enroll with options of the setup.
func (k *Kit) EnrollWith(user string, o enrollment.BeginOptions) *Person {
	k.t.Helper()
	setup, app := k.Begin(user, o)
	done := k.Confirm(user, setup, app)
	return &Person{ID: user, Key: app, Codes: done.Codes.Reveal(), First: done.Success, Kit: k}
}

// Users are that many ids, in their order.
func Users(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%04d", i)
	}
	return ids
}

// EnrollAll enables two-factor authentication for all of them at the same time,
// and lets the step of their codes pass.
func (k *Kit) EnrollAll(users ...string) (all []*Person) {
	k.t.Helper()
	for _, user := range users {
		setup, app := k.Begin(user, enrollment.BeginOptions{})
		for k.Code(app) == k.Code(app, 1) {
			setup, app = k.Begin(user, enrollment.BeginOptions{}) // that code would be used up as well
		}
		done, err := k.Guard.Confirm(k.t.Context(), user, setup.Token, k.Code(app))
		if err != nil {
			k.t.Fatal(err)
		}
		all = append(all, &Person{ID: user, Key: app, Codes: done.Codes.Reveal(), First: done.Success, Kit: k})
	}
	k.Pass(30 * time.Second)
	return all
}

// Code returns what an app shows some steps from now; now without an argument.
func (k *Kit) Code(app totp.Key, steps ...int) string {
	at := k.Now()
	for _, n := range steps {
		at = at.Add(time.Duration(n) * app.Params().Period)
	}
	return Shown(app, at)
}

// NextCode waits until the app shows another code.
func (k *Kit) NextCode(app totp.Key) {
	for used := k.Code(app); k.Code(app) == used; {
		k.Pass(app.Params().Period)
	}
}

// SignIn gives the right password. What comes next has to be what is wanted, if
// that is given.
func (k *Kit) SignIn(user string, o enrollment.SignInOptions, want ...enrollment.Next) enrollment.Decision {
	k.t.Helper()
	d, err := k.Guard.SignIn(k.t.Context(), user, o)
	k.Must(err)
	if len(want) > 0 && d.Next != want[0] {
		k.t.Fatalf("%s: %v, want %v", user, d.Next, want[0])
	}
	return d
}

// Challenge gives the right password, and is asked for a code.
func (k *Kit) Challenge(user string) enrollment.Challenge {
	k.t.Helper()
	return k.SignIn(user, enrollment.SignInOptions{}, enrollment.AskCode).Challenge
}

// Answer answers the challenge of a sign-in.
func (k *Kit) Answer(challenge enrollment.Challenge, code string) (enrollment.Success, error) {
	k.t.Helper()
	return k.Guard.Answer(k.t.Context(), enrollment.PurposeSignIn, challenge, code)
}

// In answers with a code that has to be right.
func (k *Kit) In(challenge enrollment.Challenge, code string) enrollment.Success {
	k.t.Helper()
	ok, err := k.Answer(challenge, code)
	k.Must(err)
	return ok
}

// Out answers with a code that has to be refused for that reason.
func (k *Kit) Out(challenge enrollment.Challenge, code string, want enrollment.Reason) *enrollment.Denied {
	k.t.Helper()
	_, err := k.Answer(challenge, code)
	return Want(k.t, err, want)
}

// Status returns the user's.
func (k *Kit) Status(user string) enrollment.Status {
	k.t.Helper()
	s, err := k.Guard.Status(k.t.Context(), user)
	k.Must(err)
	return s
}

// Code returns what the person's app shows some steps from now; now without an
// argument.
func (p *Person) Code(steps ...int) string { return p.Kit.Code(p.Key, steps...) }

// Wrong returns a code that the person's app does not show for a quarter of an
// hour around now.
func (p *Person) Wrong() string { return WrongCode(p.Kit.Now(), p.Key) }

// Challenge gives the right password, and is asked for a code.
func (p *Person) Challenge() enrollment.Challenge { p.Kit.t.Helper(); return p.Kit.Challenge(p.ID) }

// Answer signs in with both factors.
func (p *Person) Answer(code string) (enrollment.Success, error) {
	p.Kit.t.Helper()
	return p.AnswerOn(p.Kit.Guard, code)
}

// AnswerOn is Answer, with the code answered on another node. It sees that a
// Success is the person's, and that none comes with an error.
func (p *Person) AnswerOn(g *enrollment.Guard, code string) (enrollment.Success, error) {
	p.Kit.t.Helper()
	ok, err := g.Answer(p.Kit.t.Context(), enrollment.PurposeSignIn, p.Challenge(), code)
	if (err == nil) != (ok.UserID == p.ID) {
		p.Kit.t.Errorf("Answer of %s = %q, %v", p.ID, ok.UserID, err)
	}
	return ok, err
}

// Verify steps up with the app, and lets the code's step pass.
func (p *Person) Verify(purpose enrollment.Purpose) enrollment.Success {
	p.Kit.t.Helper()
	ok, err := p.Kit.Guard.Verify(p.Kit.t.Context(), p.ID, purpose, p.Code())
	p.Kit.Must(err)
	p.Kit.NextCode(p.Key)
	return ok
}

// Receipt is that of Verify.
func (p *Person) Receipt() enrollment.Receipt { p.Kit.t.Helper(); return p.Verify("settings").Receipt }

// Trust makes a device a trusted one.
func (p *Person) Trust(name string) enrollment.TrustedDevice {
	p.Kit.t.Helper()
	d, err := p.Kit.Guard.Devices().Trust(p.Kit.t.Context(), p.ID, p.Receipt(), name)
	p.Kit.Must(err)
	return d
}

// AskReset asks for a reset in the person's name.
func (p *Person) AskReset() enrollment.ResetRequest {
	p.Kit.t.Helper()
	r, err := p.Kit.Guard.ResetRequests().Open(p.Kit.t.Context(), p.Challenge())
	p.Kit.Must(err)
	return r
}

// KeyOf is what an authenticator app takes over from a setup.
func KeyOf(t testing.TB, s enrollment.Setup) totp.Key {
	t.Helper()
	key, _, err := totp.ParseURI(s.URI())
	if err != nil {
		t.Fatalf("the URI of a setup can't be read: %v", err)
	}
	return key
}
