package web_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// three returns three codes that the app shows in a row, the last of them now.
func (h *host) three(app *enrollmenttest.App) []string {
	return []string{h.code(app), h.code(app), h.code(app)}
}

// While app codes are locked, three codes in a row sign in, and confirm what is about to
// be done. They are offered only then.
func TestThreeCodes(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	owner, app, _ := h.member("alice")
	owner.get("/delete").lacks("three codes in a row").get("/2fa/step?for=delete&with=three").lacks(`name="with" value="three"`)
	b := h.browser().login("alice").lacks("three codes in a row")
	wrong := app.WrongCode(h.kit.Clock.Now())
	for range 5 {
		b.submit("/2fa/sign-in", "code", wrong)
	}
	b.submit("/2fa/sign-in", "code", wrong).follow("/2fa/sign-in?with=three").sees("Wait until it shows the next one")
	b.get(b.path).sees("Wait until it shows the next one")
	b.post("/2fa/sign-in", "with", "three", "code", wrong, "code", wrong, "code", wrong).at("/2fa/sign-in?with=three", "wrong")
	b.post("/2fa/sign-in", "with", "three", "code", wrong, "code", wrong).sees("That is not a code.")

	// The lock is known from the start now.
	b = h.browser().login("alice").follow("/2fa/sign-in?with=three")
	b.sees(`<label for="code-1">`, `<label for="code-2">`, `<label for="code-3">`)
	codes := h.three(app)
	b.post("/2fa/sign-in", "with", "three", "code", codes[0], "code", codes[1], "code", codes[2])
	b.at("/2fa/wrong-codes?return=%2F").follow("/").at("/", `home of "alice"`) // they were typed elsewhere

	for range 6 {
		owner.post("/2fa/step", "for", "delete", "code", wrong)
	}
	owner.get("/delete").follow("/2fa/step?for=delete&with=three&return=%2fdelete")
	codes = h.three(app)
	owner.post("/2fa/step", "for", "delete", "return", "/delete", "with", "three", "code", codes[0], "code", codes[1], "code", codes[2]).at("/delete", "GET deleted")

	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	codes = h.three(app)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": codes})
}
