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

// A host's test of its own login handler. (The example is a test itself, so
// that it has a testing.T to hand in.)
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
