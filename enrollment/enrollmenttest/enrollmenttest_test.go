package enrollmenttest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestKit(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	alice := kit.Enroll("alice")
	if alice.App.Issuer() != "Example" || alice.App.Account() == "" || len(alice.RecoveryCodes) != 10 {
		t.Errorf("alice is %+v", alice)
	}
	verify := func(code string) error {
		_, err := kit.Guard.Verify(t.Context(), "alice", "test", code)
		return err
	}
	code := alice.Code()
	if err := verify(code); err != nil {
		t.Errorf("the app's code: %v", err)
	}
	if err := verify(code); !errors.Is(err, enrollment.ReasonReplayed) {
		t.Errorf("the same again: %v", err)
	}
	if err := verify(alice.WrongCode()); !errors.Is(err, enrollment.ErrWrongCode) {
		t.Errorf("a wrong code: %v", err)
	}
	kit.Clock.Advance(alice.App.Period())
	if err := verify(alice.Code()); err != nil {
		t.Errorf("the next code: %v", err)
	}
	if events := kit.Events(); len(events) != 1 || events[0].Kind != enrollment.EventEnabled || events[0].UserID != "alice" {
		t.Errorf("events %v", events)
	}
	if _, err := kit.Store.Load(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
}

func TestAdjust(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t, func(c *enrollment.Config) {
		c.Issuer = "Acme"
		c.Params = totp.Params{Digits: 8, Period: time.Minute}
		c.Notify = nil
	})
	alice := kit.Enroll("alice")
	if alice.App.Issuer() != "Acme" || len(alice.Code()) != 8 || alice.App.Period() != time.Minute || len(kit.Events()) != 0 {
		t.Errorf("issuer %q, code of %d digits, period %v", alice.App.Issuer(), len(alice.Code()), alice.App.Period())
	}
}

func TestScanRefuses(t *testing.T) {
	t.Parallel()
	if app, err := enrollmenttest.Scan("https://example.com"); !errors.Is(err, totp.ErrURI) || app != nil {
		t.Errorf("Scan = %v, %v", app, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a code from before 1970")
		}
	}()
	enrollmenttest.New(t).Enroll("alice").App.Code(time.Unix(-1, 0))
}

// loginHandler is the host's code that the example tests.
func loginHandler(guard *enrollment.Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ok, err := guard.Answer(r.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(r.FormValue("challenge")), r.FormValue("code"))
		if errors.As(err, new(*enrollment.Denied)) {
			http.Error(w, "try again", http.StatusForbidden)
			return
		} else if err != nil {
			http.Error(w, "sorry", http.StatusInternalServerError)
			return
		}
		w.Write([]byte("welcome, " + ok.UserID))
	})
}

// A host's test of its own login handler. (The example is a test, so it has a
// testing.T to pass.)
func TestLoginHandler(t *testing.T) {
	kit := enrollmenttest.New(t)
	alice := kit.Enroll("alice")
	login := func(code string) int {
		d, err := kit.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"challenge": {d.Challenge.Reveal()}, "code": {code}}
		r := httptest.NewRequest("POST", "/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		loginHandler(kit.Guard).ServeHTTP(w, r)
		return w.Code
	}
	code := alice.Code()
	for _, c := range []struct {
		code string
		want int
	}{{alice.WrongCode(), 403}, {code, 200}, {code, 403}, {alice.RecoveryCodes[0], 200}} {
		if got := login(c.code); got != c.want {
			t.Errorf("status %d, want %d", got, c.want)
		}
	}
}

// While the store fails, no code is accepted or refused. Afterwards it is as if
// nobody had tried.
func TestFailStore(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	alice := kit.Enroll("alice")
	before, err := kit.Store.Load(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	down := errors.New("the database is down")
	kit.FailStore(down)
	for _, code := range []string{alice.Code(), alice.WrongCode()} {
		_, err := kit.Guard.Verify(t.Context(), "alice", "x", code)
		if !errors.Is(err, down) || errors.As(err, new(*enrollment.Denied)) {
			t.Errorf("Verify = %v", err)
		}
	}
	if d, err := kit.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{}); !errors.Is(err, down) || d.Next != enrollment.Refuse {
		t.Errorf("SignIn = %v, %v", d.Next, err)
	}
	if err := kit.Guard.Admin("root", "x").Erase(t.Context(), "alice"); !errors.Is(err, down) {
		t.Errorf("Erase = %v", err)
	}
	if after, err := kit.Store.Load(t.Context(), "alice"); err != nil || after.Version != before.Version {
		t.Errorf("version %d, was %d, %v", after.Version, before.Version, err)
	}
	kit.FailStore(nil)
	if _, err := kit.Guard.Verify(t.Context(), "alice", "x", alice.Code()); err != nil {
		t.Error(err)
	}
	if err := kit.Guard.Admin("root", "x").Erase(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
}
