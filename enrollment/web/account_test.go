package web_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// named is a host whose accounts have names. It keeps the ids that it was asked about.
func named(t *testing.T, name func(id string) (string, error)) (h *host, asked *[]string) {
	t.Helper()
	asked = new([]string)
	h = newHost(t, enrollmenttest.New(t), func(c *web.Config) {
		c.Account = func(_ context.Context, id string) (string, error) {
			*asked = append(*asked, id)
			return name(id)
		}
	})
	return h, asked
}

// The page for the code names the account, also after Back in one of two tabs, so that a
// person knows whose code to enter.
func TestCodePagesNameTheAccount(t *testing.T) {
	t.Parallel()
	h, _ := named(t, func(id string) (string, error) { return id + " & <Söhne>", nil })
	const alice, bob = "Account: <bdi>4711 & <Söhne></bdi>", "Account: <bdi>4712 & <Söhne></bdi>"
	first, app, _ := h.member("4711")
	h.member("4712")
	b := h.browser().login("4711").sees(alice, `aria-describedby="account code-hint"`)
	b.submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now())).sees(alice, `aria-describedby="problem account code-hint"`)
	b.login("4712").sees(bob).lacks("4711")
	b.get("/2fa/sign-in").sees(bob).lacks("4711") // Back in the tab of the first
	first.get("/delete").sees(alice).get("/2fa/disable").at("/2fa/step?for=settings&return=%2F2fa%2Fdisable", alice)
	for range 6 {
		first.post("/2fa/step", "for", "delete", "code", app.WrongCode(h.kit.Clock.Now()))
	}
	first.get("/2fa/step?for=delete&with=three").sees(alice, `aria-describedby="account code-hint"`)
	h.browser().get("/2fa/sign-in").lacks("Account:")
}

// An id can be a number that people should not see: without Config.Account, no account is
// named. Nor is one that the application gives no name.
func TestCodePagesShowNoID(t *testing.T) {
	t.Parallel()
	empty, _ := named(t, func(string) (string, error) { return "", nil })
	for _, h := range []*host{newHost(t, enrollmenttest.New(t)), empty} {
		b, _, _ := h.member("4711")
		b.get("/delete").at("/2fa/step?for=delete&return=%2Fdelete").lacks("4711", "Account:", `id="account"`)
		b.login("4711").at("/2fa/sign-in").lacks("4711", "Account:", `id="account"`)
	}
}

// A browser can write another user, or another name, into its cookie. It sees what it wrote,
// and never the name of somebody else.
func TestForgedAccount(t *testing.T) {
	t.Parallel()
	h, asked := named(t, func(id string) (string, error) { return "name of " + id, nil })
	h.member("alice")
	b := h.browser().login("alice")
	parts := strings.Split(b.cookie("challenge"), "~")
	*asked = nil
	for _, account := range []string{"", "Ym9i", "PGI-", "!", strings.Repeat("A", 3000)} {
		parts[4], parts[5] = "Ym9i", account // bob
		b.setCookie("__Host-twofactor-challenge", strings.Join(parts, "~"))
		b.get("/2fa/sign-in").at("/2fa/sign-in").lacks("name of")
		if strings.Contains(b.body, "<b>") {
			t.Errorf("the page has what the cookie says:\n%s", b.body)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("the page asked for the names of %q", *asked)
	}
}

// A name that nobody can tell is a fault, before a code is asked for. One that is long is cut.
func TestAccountFails(t *testing.T) {
	t.Parallel()
	name, fails := strings.Repeat("ü", 5000), error(nil)
	h, asked := named(t, func(string) (string, error) { return name, fails })
	b, _, _ := h.member("alice")
	b.get("/delete").sees("<bdi>" + strings.Repeat("ü", 128) + "</bdi>")
	name = "x" + name
	b.login("alice").sees("<bdi>x" + strings.Repeat("ü", 127) + "</bdi>")
	fails = errors.New("the users are not there")
	for _, load := range []func(*browser) *browser{
		func(b *browser) *browser { return b.get("/2fa/step?for=delete") },
		func(b *browser) *browser { return b.login("alice") },
	} {
		h.failure = nil
		if load(b.clone()); !errors.Is(h.failure, fails) {
			t.Errorf("the failure is %v", h.failure)
		}
	}
	if !slices.Contains(*asked, "alice") {
		t.Error("nobody was asked")
	}

	// A program knows whom it signs in.
	c := h.client()
	if d := c.call(http.StatusOK, http.MethodPost, "/login?user=alice", nil); d["next"] != enrollment.AskCode.String() {
		t.Errorf("%v", d)
	}
}
