// Package hosttest tests how an application uses two-factor authentication. An
// application writes one test:
//
//	func TestTwoFactor(t *testing.T) {
//		hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
//			guard, err := lab.NewGuard(memory.New(), newKeys(t), enrollment.Config{Issuer: "Acme"})
//			if err != nil {
//				t.Fatal(err)
//			}
//			app := newApp(guard, slog.New(slog.NewTextHandler(lab.Log, nil))) // the application's own
//			return hosttest.Host{
//				Handler: app,
//				NewUser: func(login, password string) string { return app.users.add(login, password) },
//				SignIn: func(b *hosttest.Browser) {
//					b.Get("/login")
//					b.Submit("/login", "email", b.User.Login, "password", b.User.Password)
//				},
//				SendCode: func(b *hosttest.Browser, code string) { b.Submit("/login/code", "code", code) },
//				SignedIn: func(b *hosttest.Browser) bool { return b.Get("/account").Contains(b.User.Login) },
//				Begin: func(b *hosttest.Browser, code string) {
//					b.Get("/security")
//					b.Submit("/security/begin", "code", code)
//				},
//				Confirm: func(b *hosttest.Browser, code string) { b.Submit("/security/confirm", "code", code) },
//				Disable: func(b *hosttest.Browser, code string) {
//					b.Get("/security")
//					b.Submit("/security/disable", "code", code)
//				},
//			}
//		})
//	}
//
// The suite uses the application as its users do, and as attackers do: it leaves out the
// second step, sends codes twice and at once, swaps challenges, keeps old cookies, posts
// from another site. Each case tries one thing, and prints what the application did
// wrong and what it must do instead. Most of that is the list "What your application
// does" in the documentation of package enrollment.
//
// An API of JSON works as well: see [Browser.SendJSON], [Page.JSON] and Browser.Header.
//
// A suite can't prove that an application has no defect. It sees only the pages that it
// is shown, and none of the duties that have no page: to limit passwords, to run
// Directory.SweepEvery, to back up the keys.
package hosttest

import (
	"errors"
	"fmt"
	"testing"
)

// Run tests the application that open returns, with one subtest for each case, all in
// parallel. It calls open once for each case, in the goroutine of that case. Open must
// return a fresh application without users each time, whose Guard was made by
// [Lab.NewGuard]. It may use t to fail, to skip and to clean up.
//
// The case "works" comes first. If the suite can't use the application, no other case
// runs.
func Run(t *testing.T, open func(t *testing.T, lab *Lab) Host) {
	t.Helper()
	run := func(c testCase) bool {
		return t.Run(c.name, func(t *testing.T) {
			if c.name != works.name {
				t.Parallel()
			}
			lab := newLab()
			h := open(t, lab)
			if missing := c.needs(h); missing != "" {
				t.Skipf("it needs Host.%s", missing)
			}
			switch err := c.try(lab, h); {
			case errors.Is(err, errMoot):
				t.Skip(err)
			case err != nil:
				t.Fatalf("%v\nWhat the application must do: %s", err, c.duty)
			}
		})
	}
	if !run(works) {
		return
	}
	for _, c := range cases() {
		run(c)
	}
}

// A testCase tries one thing. Its check returns an error and does not use a testing.T,
// so that the suite's own tests can see it fail.
type testCase struct {
	name  string
	duty  string   // what the application must do
	wants []string // optional fields of Host
	check func(s *stage) error
}

// needs returns the name of an optional function that the case needs and the
// application does not have, or "".
func (c testCase) needs(h Host) string {
	for _, name := range c.wants {
		has := map[string]bool{
			"Begin": h.Begin != nil, "Mandate": h.Mandate != nil, "Clocked": h.Clocked, "Confirm": h.Confirm != nil, "StepUp": h.StepUp != nil && h.Sensitive != nil,
			"Begin, Disable or RenewCodes": len(h.changes()) > 0,
		}
		if !has[name] {
			return name
		}
	}
	return ""
}

// try sets the stage and runs the check.
func (c testCase) try(lab *Lab, h Host) error {
	s, err := newStage(lab, h)
	if err != nil {
		return fmt.Errorf("the suite can't begin: %w", err)
	}
	return c.check(s)
}

// cases returns all cases but works.
func cases() []testCase {
	var all []testCase
	all = append(all, signInCases...)
	all = append(all, challengeCases...)
	all = append(all, sessionCases...)
	all = append(all, settingsCases...)
	all = append(all, mandateCases...)
	all = append(all, forgedCases...)
	all = append(all, secretCases...)
	all = append(all, elsewhereCase)
	return all
}
