package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A token is hardware whose clock is five minutes ahead.
type token struct {
	*enrollmenttest.App
	h *host
}

func (x token) code() string {
	x.h.kit.Clock.Advance(x.Period())
	return x.Code(x.h.kit.Clock.Now().Add(5 * time.Minute))
}

func (x token) three() []string { return []string{x.code(), x.code(), x.code()} }

// withToken gives alice, who has an app, a token as well. It returns the id of the token.
func (h *host) withToken(app *enrollmenttest.App) (x token, id string) {
	h.t.Helper()
	return h.withTokenOf(app, "")
}

// withTokenOf is the same for a token with parameters of its own.
func (h *host) withTokenOf(app *enrollmenttest.App, params string) (x token, id string) {
	h.t.Helper()
	uri := "otpauth://totp/Vendor:26-0417?issuer=Vendor&algorithm=SHA256&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DP" + params
	key, _, err := totp.ParseURI(uri)
	if err != nil {
		h.t.Fatal(err)
	}
	shown, err := enrollmenttest.Scan(uri)
	if err != nil {
		h.t.Fatal(err)
	}
	setup, err := h.kit.Guard.Begin(h.t.Context(), "alice", enrollment.BeginOptions{Name: "26-0417", HardwareToken: key, Proof: enrollment.ByCode(h.code(app))})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.kit.Guard.Confirm(h.t.Context(), "alice", setup.Token, shown.Code(h.kit.Clock.Now())); err != nil {
		h.t.Fatal(err)
	}
	status, err := h.kit.Guard.Status(h.t.Context(), "alice")
	if err != nil {
		h.t.Fatal(err)
	}
	h.kit.Clock.Advance(time.Hour)
	return token{shown, h}, status.Authenticators[1].ID
}

// The clock of a token is wrong: after a code of the app, three codes of the token let
// single ones sign in again.
func TestResynchronize(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	token, id := h.withToken(app)
	page := "/2fa/resynchronize?id=" + id
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", h.code(app)).at("/")
	b.get("/2fa/").follow(page).submit("/2fa/step", "code", h.code(app)).at(page, "26-0417", "the token shows now").lacks("data-submit")
	b.post("/2fa/resynchronize", "id", id, "code", "123456").at(page, "That is not a code.")
	wrong := app.WrongCode(h.kit.Clock.Now())
	b.post("/2fa/resynchronize", "id", id, "code", wrong, "code", wrong, "code", wrong).at(page, "wrong")

	codes := token.three()
	form := []string{"id", id, "code", codes[0], "code", codes[1], "code", codes[2]}
	b.post("/2fa/resynchronize", form...).at("/2fa/", "We allow for the clock of the token now.", "The clock of the hardware token “26-0417” was adjusted.")
	b.post("/2fa/resynchronize", form...).at("/2fa/").lacks(`role="alert"`) // a second click
	h.kit.Clock.Advance(2 * time.Minute)
	b.post("/2fa/resynchronize", form...).at(page, `role="alert"`)
	b.get("/2fa/codes/new").submit("/2fa/codes/new").submit("/2fa/codes") // something else has just happened
	b.post("/2fa/resynchronize", form...).sees(`role="alert"`)
	h.browser().login("alice").submit("/2fa/sign-in", "code", token.code()).at("/", `home of "alice"`)
}

// It takes a proof besides the three codes, and is for hardware tokens alone.
func TestResynchronizeNeedsProof(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	token, id := h.withToken(app)
	b := h.browser().login("alice").submit("/2fa/sign-in", "code", h.code(app)).at("/")
	codes := token.three()
	step := "/2fa/step?for=settings&return=%2F2fa%2Fresynchronize%3Fid%3D" + id
	b.get("/2fa/resynchronize?id=" + id).at(step)
	b.post("/2fa/resynchronize", "id", id, "code", codes[0], "code", codes[1], "code", codes[2]).at(step)
	h.browser().login("alice").submit("/2fa/sign-in", "code", token.code()).sees("wrong")

	status, err := h.kit.Guard.Status(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	first := status.Authenticators[0].ID
	if strings.Contains(b.get("/2fa/").body, "/2fa/resynchronize?id="+first) {
		t.Error("it is offered for an app")
	}
	b.get("/2fa/disable").submit("/2fa/step", "code", h.code(app))
	for _, other := range []string{first, "nonsense", ""} {
		b.get("/2fa/resynchronize?id=" + other).at("/2fa/")
		b.post("/2fa/resynchronize", "id", other, "code", codes[0], "code", codes[1], "code", codes[2]).at("/2fa/", `role="alert"`)
	}
	bob, _, _ := h.member("bob")
	bob.get("/2fa/resynchronize?id=" + id).at("/2fa/")
}

// The same without cookies.
func TestResynchronizeJSON(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	token, id := h.withToken(app)
	c := h.client()
	d := c.call(200, "POST", "/login?user=alice", nil)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": h.code(app)})
	if got := c.call(403, "POST", "/2fa/resynchronize", map[string]any{"id": id, "code": token.three()}); got["reason"] != "proof_required" {
		t.Errorf("%v", got)
	}
	done := c.call(200, "POST", "/2fa/step", map[string]any{"for": "settings", "code": h.code(app)})
	c.receipt = done["success"].(map[string]any)["receipt"].(string)
	in := map[string]any{"id": id, "code": token.three()}
	c.call(200, "POST", "/2fa/resynchronize", in)
	if got := c.call(422, "POST", "/2fa/resynchronize", in); got["reason"] != "replayed" {
		t.Errorf("%v", got)
	}
	d = c.call(200, "POST", "/login?user=alice", nil)
	c.call(200, "POST", "/2fa/sign-in", map[string]any{"challenge": d["challenge"], "code": token.code()})
}
