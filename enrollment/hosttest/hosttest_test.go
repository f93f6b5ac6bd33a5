package hosttest_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
)

// TestRightHostsPass runs the suite as applications do.
func TestRightHostsPass(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T, lab *hosttest.Lab) hosttest.Host{
		"the session has the challenge": func(t *testing.T, lab *hosttest.Lab) hosttest.Host { return newApp(t, lab, "").host() },
		challengeInPage:                 func(t *testing.T, lab *hosttest.Lab) hosttest.Host { return newApp(t, lab, challengeInPage).host() },
		passwordDisables:                func(t *testing.T, lab *hosttest.Lab) hosttest.Host { return newApp(t, lab, passwordDisables).host() },
		"an API":                        func(t *testing.T, lab *hosttest.Lab) hosttest.Host { return newAPI(t, lab).host() },
		"the sign-in alone": func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
			h := newApp(t, lab, "").host()
			return hosttest.Host{Handler: h.Handler, NewUser: h.NewUser, SignIn: h.SignIn, SendCode: h.SendCode, SignedIn: h.SignedIn}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hosttest.Run(t, open)
		})
	}
}

// faults has a name for each fault that an app can have, and the cases that must find
// it. All others must pass.
var faults = []struct {
	name   string
	caught []string
}{
	{"a session before the code", []string{"password-alone"}},
	{"the password leaves a cookie", []string{"password-alone"}},
	{"the next user is signed in as well", []string{"password-alone"}},
	{"no second factor while the Guard fails", []string{"database-down"}},
	{"any other error is good enough", []string{"database-down"}},
	{"sessions go on while the Guard fails", []string{"database-down"}},
	{"a step-up counts while the Guard fails", []string{"database-down"}},
	{"a user looks signed out while the Guard fails", []string{"database-down"}},
	{"a malformed code is good enough", []string{"wrong-code"}},
	{"a used code is good enough", []string{"used-code", "parallel"}},
	{"a transaction ends with the answer", []string{"wrong-codes-count"}},
	{"a transaction ends with the request", []string{"hang-up"}},
	{"a fresh challenge for each code", []string{"expired-challenge"}},
	{"a spent challenge is good enough", []string{"spent-challenge", "parallel"}},
	{"the session says who it is", []string{"foreign-challenge"}},
	{"the challenge is found by a name", []string{"password-skipped"}},
	{"the page says the purpose", []string{"other-purpose"}},
	{"any purpose signs in", []string{"other-purpose"}},
	{"the id stays after the password", []string{"session-at-challenge"}},
	{"the id stays after the code", []string{"session-at-sign-in"}},
	{"sessions go on after a change", []string{"old-session"}},
	{"a setup needs no password", []string{"unproven-setup"}},
	{"a session before the setup", []string{"mandated-setup"}},
	{"a page opens before the setup", []string{"mandated-setup"}},
	{"any first code signs in", []string{"mandated-setup"}},
	{"a mandated setup signs nobody in", []string{"mandated-setup"}},
	{"a mandate lasts", []string{"late-mandated-setup"}},
	{"nothing is a proof", []string{"wrong-proof", "old-receipt"}},
	{"a mark is a proof", []string{"old-receipt"}},
	{"a receipt counts in every session", []string{"old-receipt"}},
	{"a denied step-up counts", []string{"step-up"}},
	{"a step-up counts in every session", []string{"step-up"}},
	{"a step-up can be somebody else's", []string{"step-up"}},
	{"a step-up counts forever", []string{"old-step-up"}},
	{"other sites can send forms", []string{"cross-site"}},
	{"other sites can send codes", []string{"cross-site"}},
	{"a link changes settings", []string{"get"}},
	{"the form says who it is", []string{"other-user"}},
	{"a field can say who it is", []string{"other-user"}},
	{"a page shows whom the address names", []string{"other-user"}},
	{"pages are kept", []string{"no-store"}},
	{"the QR code is kept", []string{"no-store"}},
	{"the key is shown again", []string{"secrets-in-pages", "setup-elsewhere"}},
	{"every session shows the setup", []string{"setup-elsewhere"}},
	{"everybody can see the QR code", []string{"setup-elsewhere"}},
	{"another site draws the QR code", []string{"secrets-in-addresses"}},
	{"the setup token is in the address", []string{"secrets-in-addresses", "setup-elsewhere"}},
	{"codes are sent by GET", []string{"secrets-in-addresses"}},
	{"forms are logged", []string{"secrets-in-log"}},
	{"setup tokens are logged", []string{"secrets-in-log"}},
}

// TestFaultsAreCaught holds the suite to its purpose: each fault is found by the cases
// that are meant for it, and by no other.
func TestFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range hosttest.Cases() {
				if testing.Short() && !slices.Contains(f.caught, c.Name) {
					continue
				}
				err, ran := c.Check(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host { return newApp(t, lab, f.name).host() })
				switch {
				case !ran:
					t.Errorf("%s does not run", c.Name)
				case slices.Contains(f.caught, c.Name) && err == nil:
					t.Errorf("%s passes", c.Name)
				case slices.Contains(f.caught, c.Name):
					t.Logf("%s: %v", c.Name, err)
				case err != nil:
					t.Errorf("%s fails: %v", c.Name, err)
				}
			}
		})
	}
}

// TestEveryCaseCatchesSomething finds cases that cannot fail.
func TestEveryCaseCatchesSomething(t *testing.T) {
	t.Parallel()
	var caught []string
	for _, f := range faults {
		caught = append(caught, f.caught...)
	}
	seen := make(map[string]bool)
	for _, c := range hosttest.Cases() {
		if c.Name != "works" && !slices.Contains(caught, c.Name) {
			t.Errorf("no fault is meant for case %q", c.Name)
		}
		if seen[c.Name] {
			t.Errorf("two cases are named %q", c.Name)
		}
		seen[c.Name] = true
		if !strings.HasSuffix(c.Duty, ".") {
			t.Errorf("case %q: the duty %q is not a sentence", c.Name, c.Duty)
		}
	}
}

// TestWorksFails sees what a person reads who has got the functions of a Host wrong.
func TestWorksFails(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(h *hosttest.Host){
		"Host.Handler is not set":              func(h *hosttest.Host) { h.Handler = nil },
		"Host.NewUser is not set":              func(h *hosttest.Host) { h.NewUser = nil },
		"Host.SignIn is not set":               func(h *hosttest.Host) { h.SignIn = nil },
		"Host.SendCode is not set":             func(h *hosttest.Host) { h.SendCode = nil },
		"Host.SignedIn is not set":             func(h *hosttest.Host) { h.SignedIn = nil },
		`Begin for "", which NewUser returned`: func(h *hosttest.Host) { h.NewUser = func(string, string) string { return "" } },
		"that has sent nothing":                func(h *hosttest.Host) { h.SignedIn = func(*hosttest.Browser) bool { return true } },
		"it must look for Browser.User": func(h *hosttest.Host) {
			h.SignedIn = func(b *hosttest.Browser) bool { return b.Get("/account").Contains("Hello") }
		},
		"a right code does not sign in":                 func(h *hosttest.Host) { h.SendCode = func(*hosttest.Browser, string) {} },
		"Protected has /nowhere, which answers 404":     func(h *hosttest.Host) { h.Protected = []string{"/nowhere"} },
		"Protected has /login, which everybody can see": func(h *hosttest.Host) { h.Protected = []string{"/login"} },
		"neither an otpauth link nor the key as text": func(h *hosttest.Host) {
			h.Begin = func(b *hosttest.Browser, _ string) { b.Get("/security") }
		},
		"Confirm does not turn two-factor authentication on": func(h *hosttest.Host) { h.Confirm = func(*hosttest.Browser, string) {} },
		"Disable does nothing with a right code":             func(h *hosttest.Host) { h.Disable = func(*hosttest.Browser, string) {} },
		"Sensitive is not allowed after StepUp":              func(h *hosttest.Host) { h.StepUp = func(*hosttest.Browser, string) {} },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			err, _ := hosttest.Cases()[0].Check(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
				h := newApp(t, lab, "").host()
				spoil(&h)
				return h
			})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the case works says %v", err)
			}
		})
	}
	for _, c := range hosttest.Cases() {
		err, _ := c.Check(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
			return newApp(t, new(hosttest.Lab), "").host() // another one than that of the case
		})
		if err == nil || !strings.Contains(err.Error(), "Lab.NewGuard") {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

// TestRunFails runs the suite against wrong applications in a process of its own, because
// a subtest that fails would fail this one, and reads what a person sees.
func TestRunFails(t *testing.T) {
	switch os.Getenv("HOSTTEST_BROKEN") {
	case "fault":
		hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
			h := newApp(t, lab, "a session before the code").host()
			h.StepUp = nil
			return h
		})
		return
	case "functions":
		hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
			h := newApp(t, lab, "").host()
			h.SendCode = func(b *hosttest.Browser, code string) { b.Submit("/nowhere", "code", code) }
			return h
		})
		return
	}
	t.Parallel()
	for broken, want := range map[string][]string{
		"fault": {
			"--- SKIP: TestRunFails/works",
			"--- FAIL: TestRunFails/password-alone",
			"the password alone signs in (GET /login → 200, POST /login → 303, GET /code → 200)",
			"What the application must do: There is no session before Answer succeeds",
			"--- SKIP: TestRunFails/wrong-code",
			"there is nothing to try: the password alone signs in, see the case password-alone",
			"--- SKIP: TestRunFails/step-up",
			"it needs Host.StepUp",
		},
		"functions": {
			"--- FAIL: TestRunFails/works",
			"a right code does not sign in",
			"the page has no form for /nowhere, POST /nowhere → 404",
		},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRunFails$", "-test.v")
		cmd.Env = append(os.Environ(), "HOSTTEST_BROKEN="+broken)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Fatalf("the suite passes:\n%s", out)
		}
		for _, text := range want {
			if !strings.Contains(string(out), text) {
				t.Errorf("the output lacks %q:\n%s", text, out)
			}
		}
		if broken == "functions" && strings.Contains(string(out), "password-alone") {
			t.Errorf("other cases run although the first fails:\n%s", out)
		}
	}
}
