package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// The main job: on, in by the app and by a recovery code, new codes, off.
func TestMainJob(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").at("/", `home of "alice"`)
	app, codes := b.enroll()
	b.at("/2fa/", "Two-factor authentication is on, and your recovery codes are saved.", "10 of 10 are unused.")

	b = h.browser().login("alice").at("/2fa/sign-in", "Enter your code")
	b.submit("/2fa/sign-in", "code", h.code(app)).at("/", `home of "alice"`)

	b = h.browser().login("alice").at("/2fa/sign-in")
	b.submit("/2fa/sign-in", "code", codes[0]).at("/", `home of "alice"`)
	if got := h.started[len(h.started)-1].Factor; got != enrollment.FactorRecovery {
		t.Errorf("the session has the factor %q", got)
	}

	b.get("/2fa/").follow("/2fa/codes/new").at("/2fa/step?for=settings&return=%2F2fa%2Fcodes%2Fnew")
	b.submit("/2fa/step", "code", h.code(app)).at("/2fa/codes/new", "Your old recovery codes stop working")
	b.submit("/2fa/codes/new").at("/2fa/codes")
	if fresh := b.codes(); fresh[0] == codes[0] {
		t.Error("the codes are the old ones")
	}
	b.submit("/2fa/codes").get("/2fa/").follow("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	b.at("/2fa/disable").submit("/2fa/disable")
	b.at("/2fa/", "Two-factor authentication is off.", "Your password alone signs in.")
	h.browser().login("alice").at("/", `home of "alice"`)
}

// A wrong code is told on the page that asked for it, and a reload is no second guess.
func TestWrongCode(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	wrong := app.WrongCode(h.kit.Clock.Now())
	b := h.browser().login("alice")
	for range 5 {
		b.submit("/2fa/sign-in", "code", wrong).at("/2fa/sign-in", "That code is wrong.")
		b.get(b.path).at("/2fa/sign-in").lacks("That code is wrong.")
	}
	b.submit("/2fa/sign-in", "code", wrong).sees(`data-wait="`, "Recovery code")
	status, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil || len(status.Locks) != 1 {
		t.Errorf("%+v, %v", status.Locks, err)
	}
}

// After six clicks on the button that confirms the setup, the codes are on the screen,
// also if the browser has seen no answer but the last: by then its session has ended.
func TestSixClicks(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	code := h.code(b.scan())
	form := b.form("/2fa/setup", "code", code)
	for range 5 {
		b.clone().post("/2fa/setup", form...)
	}
	b.post("/2fa/setup", form...).at("/2fa/codes")
	codes := b.codes()
	if again := b.get("/2fa/codes").codes(); again[9] != codes[9] {
		t.Error("a reload shows other codes")
	}
	sheet := b.clone().get("/2fa/codes.txt")
	if !strings.Contains(sheet.body, codes[9]) || !strings.HasPrefix(sheet.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file: %v\n%s", sheet.header, sheet.body)
	}
	// Back leads to the codes until the user has saved them, and then nowhere.
	old := b.clone()
	old.login("alice").submit("/2fa/sign-in", "code", codes[0]).at("/")
	b.submit("/2fa/codes")
	if b.cookie("setup") != "" {
		t.Error("the cookie is still there")
	}
	if file := still(b.clone()).get("/2fa/codes.txt"); file.status != http.StatusNotFound || strings.Contains(file.body, codes[9]) {
		t.Errorf("the file is there with status %d:\n%s", file.status, file.body)
	}
	b.get("/2fa/codes").lacks(codes[9])
	status, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil || status.CodesTotal != 10 {
		t.Errorf("%+v, %v", status, err)
	}
}

// Codes that were shown in a session are not shown to the next person at the browser,
// who has none, or one of another user.
func TestCodesAfterTheSession(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	app := b.scan()
	form := b.form("/2fa/setup", "code", h.code(app))
	b.post("/2fa/setup", form...).at("/2fa/codes")
	codes := b.codes()
	if again := b.get("/2fa/codes").codes(); again[9] != codes[9] {
		t.Error("a reload shows other codes")
	}
	next := b.clone()
	next.setCookie("session", "none") // alice has signed out
	for _, path := range []string{"/2fa/codes", "/2fa/codes.txt"} {
		next.clone().get(path).lacks(codes[9])
	}
	next.clone().post("/2fa/setup", form...).lacks(codes[9])
	own := next.clone().get("/2fa/codes").login("alice").submit("/2fa/sign-in", "code", h.code(app)).at("/2fa/codes?return=%2F")
	if again := own.codes(); again[9] != codes[9] {
		t.Error("the next sign-in shows other codes")
	}
	next.login("bob").get("/2fa/codes").lacks(codes[9])

	// Nor those whose answer was lost, once another user has signed in.
	b.get("/2fa/codes/new").submit("/2fa/step", "code", h.code(app))
	b.clone().post("/2fa/codes/new", b.form("/2fa/codes/new")...)
	b.login("carol")
	if b.cookie("renewal") != "" {
		t.Error("the cookie is still there")
	}
}

// The same for new codes.
func TestSixClicksForNewCodes(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, old := h.member("alice")
	b.get("/2fa/codes/new").submit("/2fa/step", "code", h.code(app)).at("/2fa/codes/new")
	form := b.form("/2fa/codes/new")
	for range 5 {
		b.clone().post("/2fa/codes/new", form...)
	}
	b.post("/2fa/codes/new", form...).at("/2fa/codes")
	codes := b.codes()
	if codes[0] == old[0] {
		t.Error("the codes are the old ones")
	}
	// Whoever signs in before the codes were saved sees them first.
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app)).at("/2fa/codes?return=%2F")
	if b.codes()[0] != codes[0] {
		t.Error("the codes are others")
	}
	b.submit("/2fa/codes").at("/", `home of "alice"`)
}

// A setup can be cancelled, and a page of it that is left over leads to the beginning.
func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup")
	b.submit("/2fa/setup/cancel").at("/2fa/", "The setup is cancelled.")
	b.get("/2fa/setup").at("/2fa/setup/begin")
}

// Two apps: the second is added, named, renamed, replaced and removed.
func TestAuthenticators(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	b, app, _ := h.member("alice")
	b.get("/2fa/").follow("/2fa/setup/begin").at("/2fa/step?for=settings&return=%2F2fa%2Fsetup%2Fbegin")
	b.submit("/2fa/step", "code", h.code(app)).at("/2fa/setup/begin", "Add an authenticator app")
	b.submit("/2fa/setup/begin", "name", "work <phone>").at("/2fa/setup")
	work := b.scan()
	b.submit("/2fa/setup", "code", h.code(work)).at("/2fa/", "The app is added.", "work <phone>")
	if strings.Contains(b.body, "<phone>") {
		t.Error("the name is not escaped")
	}
	status, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	id := status.Authenticators[1].ID
	b.post("/2fa/rename", "id", id, "name", "tablet").at("/2fa/", "The name is changed.", "tablet")
	b.post("/2fa/rename", "id", id, "name", "").at("/2fa/", "role=\"alert\"")

	b.follow("/2fa/setup/begin?replace="+id).submit("/2fa/step", "code", h.code(work))
	b.at("/2fa/setup/begin?replace="+id, "tablet").submit("/2fa/setup/begin")
	work = b.scan()
	b.submit("/2fa/setup", "code", h.code(work)).at("/2fa/", "The new app has replaced the old one.")

	status, err = h.kit.Guard.Status(t.Context(), "alice")
	if err != nil || len(status.Authenticators) != 2 {
		t.Fatal(status, err)
	}
	id = status.Authenticators[0].ID
	b.follow("/2fa/remove?id="+id).submit("/2fa/step", "code", h.code(work)).at("/2fa/remove?id=" + id)
	form := b.form("/2fa/remove")
	b.post("/2fa/remove", form...).at("/2fa/", "The app is removed.")
	b.post("/2fa/remove", form...).at("/2fa/")
	b.get("/2fa/remove?id=" + id).at("/2fa/")
}
