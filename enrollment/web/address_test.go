package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// texting is a host that sends codes to whatever its users type.
func texting(t *testing.T, mail *inbox, adjust ...func(*enrollment.Config)) *host {
	t.Helper()
	adjust = append(adjust, func(c *enrollment.Config) { c.Sender, c.AddressAlone = mail, true })
	return newHost(t, enrollmenttest.New(t, adjust...), func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil }
	})
}

// A user who asks for another address while no message can be sent is told how long to
// wait: on the page for the code that was sent, or on the page that comes instead.
func TestAnotherAddressLater(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	h := texting(t, mail, func(c *enrollment.Config) { c.MaxMessages = 2 })
	b, app, _ := h.member("alice")
	other := h.browser().login("alice").submit("/2fa/sign-in", "code", h.code(app))
	b.get("/2fa/address").submit("/2fa/step", "code", h.code(app)).submit("/2fa/address", "to", "+49 1").at("/2fa/address/code")
	const soon = "You can ask for another one in 1 minute."
	b.clone().post("/2fa/address", "to", "+49 1").at("/2fa/address/code", soon) // a second click
	b.follow("/2fa/address").at("/2fa/address/code", soon, `data-wait="60"`)
	b.get("/2fa/address?return=/news").at("/2fa/address/code?return=%2Fnews", soon)
	b.follow("/2fa/address?return=%2fnews").at("/2fa/address/code?return=%2Fnews")
	other.get("/2fa/address").at("/2fa/", soon) // it has not asked for the code
	h.kit.Clock.Advance(45 * time.Second)
	b.get("/2fa/address").at("/2fa/address/code", "in 15 seconds.")
	h.kit.Clock.Advance(15 * time.Second)
	b.get("/2fa/address/code").lacks(`role="alert"`).follow("/2fa/address").at("/2fa/address").submit("/2fa/address", "to", "+49 2")

	// The last one of the day.
	b.at("/2fa/address/code").get("/2fa/address").at("/2fa/", "We can’t send you any more messages today.", `data-wait="`)

	// After wrong codes, an app is offered to a user who has none.
	b = h.browser().login("bob").get("/2fa/address").submit("/2fa/address", "to", "+49 3").at("/2fa/address/code")
	wrong := map[bool]string{true: "111111", false: "222222"}[mail.code != "111111"]
	for range 5 {
		b.post("/2fa/address/code", "code", wrong)
	}
	h.kit.Clock.Advance(time.Second)
	b.get("/2fa/address").at("/2fa/setup/begin", "Too many wrong codes from messages were entered.", `data-wait="`)
	h.browser().login("bob").get("/2fa/address").at("/2fa/").lacks(`role="alert"`)

	// Where an address can't be the only factor, there is nothing to wait for.
	if strings.Contains(newHost(t, enrollmenttest.New(t), func(c *web.Config) {
		c.Address = func(*http.Request, string) (string, string, error) { return "", "", nil }
	}).browser().login("carol").get("/2fa/address").at("/2fa/").body, `role="alert"`) {
		t.Error("carol is told to wait")
	}
}
