package web_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A browser that is trusted skips the code until the trust is taken back.
func TestTrustedDevices(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.TrustDevices = true })
	_, app, _ := h.member("alice")
	b := h.browser().login("alice").sees("Don’t ask again")
	r := b.request(http.MethodPost, "/2fa/sign-in", strings.NewReader("trust=1&code="+h.code(app)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	b.load(r).at("/")
	b.login("alice").at("/", `home of "alice"`)
	if got := h.started[len(h.started)-1].Factor; got != enrollment.FactorTrustedDevice {
		t.Errorf("the factor is %q", got)
	}
	h.browser().login("alice").at("/2fa/sign-in")
	b.get("/2fa/").sees("Firefox (Linux)")
	devices, err := h.kit.Guard.Devices().List(t.Context(), "alice")
	if err != nil || len(devices) != 1 {
		t.Fatal(devices, err)
	}
	b.post("/2fa/devices/rename", "id", devices[0].ID, "name", " laptop ").at("/2fa/", "<strong>laptop<")
	form := b.form("/2fa/devices/revoke")
	b.post("/2fa/devices/revoke", form...).at("/2fa/", "We will ask for a code there again.").lacks("laptop</strong>")
	b.post("/2fa/devices/revoke", form...).at("/2fa/").lacks(`role="alert"`)
	b.login("alice").at("/2fa/sign-in")

	// Without the option, the browser's cookie is not asked for and no trust begins.
	other := newHost(t, h.kit)
	b = other.browser().login("alice").lacks("Don’t ask again")
	b.submit("/2fa/sign-in", "code", h.code(app), "trust", "1").at("/")
	if b.cookie("device") != "" {
		t.Error("a device is trusted")
	}
}

// Without a name of the user's, a trusted device is named by what the browser says.
func TestTrustedDeviceIsNamed(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.TrustDevices = true })
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox (Linux)",
		"Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0":     "Edge (Windows)",
		"Mozilla/5.0 (Haiku) Firefox/128.0":                                      "Firefox",
		"Dalvik/2.1.0 (Linux; U; Android 15)":                                    "Android",
		"curl/8":                                                                 "Device",
	} {
		user := "user of " + want
		_, app, _ := h.member(user)
		b := h.browser().login(user)
		r := b.request(http.MethodPost, "/2fa/sign-in", strings.NewReader("trust=1&code="+h.code(app)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("User-Agent", agent)
		b.load(r).at("/")
		devices, err := h.kit.Guard.Devices().List(t.Context(), user)
		if err != nil || len(devices) != 1 || devices[0].Name != want {
			t.Errorf("%s: %+v, %v, want %q", agent, devices, err, want)
		}
	}
}

// inbox is a Sender that keeps the last code.
type inbox struct {
	mu    sync.Mutex
	code  string
	fails error
}

func (i *inbox) Send(_ context.Context, m enrollment.Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.code = m.Code()
	return i.fails
}

// A code in a message signs in and confirms what the application asks for, and changes
// no settings.
func TestMessages(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.Sender = mail }))
	_, app, codes := h.member("alice")
	bind(t, h, mail, app)
	b := h.browser().login("alice").at("/2fa/sign-in", "Send me a code in a message")
	b.submit("/2fa/sign-in/text").at("/2fa/sign-in?with=text", "We have sent you a code.", "…42")
	b.submit("/2fa/sign-in/text").at("/2fa/sign-in?with=text", "still good")
	b.follow("/2fa/sign-in").submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now())).sees("That code is wrong.")
	b.follow("/2fa/sign-in?with=text").submit("/2fa/sign-in", "code", mail.code).at("/", `home of "alice"`)

	h.kit.Clock.Advance(2 * time.Minute)
	b.get("/delete").submit("/2fa/step/text").at("/2fa/step?for=delete&return=%2Fdelete&with=text")
	b.submit("/2fa/step", "code", mail.code).at("/delete", "GET deleted")

	b.get("/2fa/disable").lacks("Send me a code")
	if b.post("/2fa/step/text", "for", "settings"); b.status != http.StatusNotFound {
		t.Errorf("status %d", b.status)
	}
	h.kit.Clock.Advance(2 * time.Minute)
	mail.fails = errors.New("no gateway")
	b = h.browser().login("alice").submit("/2fa/sign-in/text").at("/2fa/sign-in", "We could not send you a message.")
	b.submit("/2fa/sign-in", "code", codes[0]).at("/")
	b.get("/2fa/address/remove").submit("/2fa/step", "code", h.code(app)).at("/2fa/address/remove", "…42")
	b.submit("/2fa/address/remove").at("/2fa/", "The address is removed.")
}

// An address is added by a code that is sent there, if the application reads addresses.
func TestAddress(t *testing.T) {
	t.Parallel()
	mail := &inbox{}
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.Sender, c.AddressAlone = mail, true })
	h := newHost(t, kit, func(c *web.Config) {
		c.Address = func(_ *http.Request, typed string) (string, string, error) {
			if !strings.HasPrefix(typed, "+") {
				return "", "", nil
			}
			return "sms", strings.ReplaceAll(typed, " ", ""), nil
		}
	})
	b, app, _ := h.member("alice")
	b.get("/2fa/").follow("/2fa/address").submit("/2fa/step", "code", h.code(app)).at("/2fa/address", "an app is safer")
	b.submit("/2fa/address", "to", "nonsense").at("/2fa/address", "That is not an address that we can send to.")
	for _, bad := range []string{"+49\x00", "+49\xff", "+49\u0085", "+" + strings.Repeat("4", enrollment.MaxAddress)} {
		b.post("/2fa/address", "to", bad).at("/2fa/address", "That is not an address that we can send to.")
	}
	b.submit("/2fa/address", "to", "+49 123 42").at("/2fa/address/code", "We have sent you a code.", "+4912342")
	b.post("/2fa/address", "to", "+49 123 42").at("/2fa/address/code", `role="alert"`)
	next := b.clone()
	for _, c := range h.browser().login("bob").client.Jar.Cookies(h.at()) {
		next.setCookie(c.Name, c.Value) // another user, whose session begins elsewhere
	}
	next.get("/2fa/").sees("Off").get("/2fa/address/code").lacks("+4912342")
	wrong := map[bool]string{true: "111111", false: "222222"}[mail.code != "111111"]
	b.submit("/2fa/address/code", "code", wrong).at("/2fa/address/code", `role="alert"`)
	b.submit("/2fa/address/code", "code", mail.code).at("/2fa/", "The address is added.")
	h.kit.Clock.Advance(2 * time.Minute)
	b.get("/2fa/").sees("Use another address")
	b.get("/2fa/address/code").at("/2fa/step?for=settings&return=%2F2fa%2Faddress")

	// As the only factor it makes recovery codes, and six clicks end at them.
	b = h.browser().login("bob").get("/2fa/").sees(`<a class="button plain" href="/2fa/address">`)
	b.get("/2fa/setup/begin").follow("/2fa/address").submit("/2fa/address", "to", "+49 7").at("/2fa/address/code")
	for range 3 {
		b.clone().post("/2fa/address/code", "code", mail.code)
	}
	b.post("/2fa/address/code", "code", mail.code).at("/2fa/codes")
	if codes := b.codes(); len(codes) != 10 {
		t.Errorf("%q", codes)
	}
	b.submit("/2fa/codes")
	if b.cookie("address") != "" {
		t.Error("the cookie is still there")
	}

	// Who has no app asks for a message first.
	h.kit.Clock.Advance(2 * time.Minute)
	first := func(b *browser) bool {
		field, button := strings.Index(b.body, `name="code"`), strings.Index(b.body, `<button autofocus>Send me a code`)
		return button >= 0 && button < field
	}
	if b = h.browser().login("bob"); !first(b) {
		t.Errorf("the button is not the first:\n%s", b.body)
	}
	if b.submit("/2fa/sign-in/text").at("/2fa/sign-in?with=text"); first(b) {
		t.Error("the field is not the first once the message was sent")
	}
	b.submit("/2fa/sign-in", "code", mail.code).at("/")
	if b.get("/delete"); !first(b) {
		t.Errorf("the button is not the first:\n%s", b.body)
	}
	if first(h.browser().login("alice")) {
		t.Error("alice has an app")
	}
	newHost(t, enrollmenttest.New(t), func(c *web.Config) { // an app has to be there first
		c.Address = func(*http.Request, string) (string, string, error) { return "", "", nil }
	}).browser().login("dave").get("/2fa/").lacks("/2fa/address").get("/2fa/setup/begin").lacks("/2fa/address")
	if other := newHost(t, kit).browser().login("carol").get("/2fa/address"); other.status != http.StatusNotFound {
		t.Errorf("status %d", other.status)
	}
}

// bind gives alice an address.
func bind(t *testing.T, h *host, mail *inbox, app *enrollmenttest.App) {
	t.Helper()
	messages := h.kit.Guard.Messages()
	binding, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{
		Channel: "sms", To: "+491234567842", Proof: enrollment.ByCode(h.code(app)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := messages.Confirm(t.Context(), "alice", binding.Token, mail.code); err != nil {
		t.Fatal(err)
	}
	h.kit.Clock.Advance(2 * time.Minute)
}

// A user who has lost everything asks for a reset, and the owner cancels it.
func TestResets(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t), func(c *web.Config) { c.Resets = true })
	owner, _, _ := h.member("alice")
	b := h.browser().login("alice").sees("I have lost my phone")
	b.submit("/2fa/sign-in/reset").at("/2fa/sign-in", "Nothing happens before 5 January 2026", "cancels it")
	owner.get("/2fa/").sees("Somebody who knows your password")
	form := owner.form("/2fa/reset/cancel")
	owner.post("/2fa/reset/cancel", form...).at("/2fa/", "The request is cancelled.").lacks("Somebody who knows")
	owner.post("/2fa/reset/cancel", form...).at("/2fa/").lacks(`role="alert"`)

	b = newHost(t, h.kit).browser().login("alice").lacks("I have lost my phone")
	if b.post("/2fa/sign-in/reset"); b.status != http.StatusNotFound {
		t.Errorf("status %d", b.status)
	}
}

// With codes at the setup, they come before the QR code.
func TestCodesAtSetup(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.CodesAtSetup = true }))
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup", "Save these codes first.")
	codes := b.codes()
	if strings.Index(b.body, codes[0]) > strings.Index(b.body, `class="qr"`) {
		t.Error("the codes come after the QR code")
	}
	if again := b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes").codes(); again[0] != codes[0] {
		t.Error("the codes are others")
	}
}

// A ticket is asked for where the setup needs one.
func TestTicket(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	h.member("alice")
	ticket, err := h.kit.Guard.Admin("root", "lost phone").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser().login("alice").get("/2fa/setup/begin").sees("The code that an administrator gave you.")
	b.submit("/2fa/setup/begin", "ticket", "0000-0000-0000-0000").at("/2fa/setup/begin").sees(`role="alert"`)
	b.submit("/2fa/setup/begin", "ticket", ticket.Reveal()).at("/2fa/setup")
}

// The application's word is enough where the Guard says so.
func TestReauth(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.ReauthDisables = true }))
	b, _, _ := h.member("alice")
	now := h.kit.Clock.Now()
	for _, at := range []time.Time{{}, now.Add(-enrollment.ReceiptTTL - time.Second), now.Add(time.Minute + time.Second), time.Now()} {
		h.checked = func() time.Time { return at }
		b.get("/2fa/disable").at("/2fa/step?for=settings&return=%2F2fa%2Fdisable")
	}
	for _, at := range []time.Time{now.Add(-enrollment.ReceiptTTL), now.Add(time.Minute), now} {
		h.checked = func() time.Time { return at }
		b.get("/2fa/disable").at("/2fa/disable")
	}
	b.submit("/2fa/disable").at("/2fa/", "Two-factor authentication is off.")
}

// A sheet of recovery codes names the account, on each page that has one.
func TestSheetNamesAccount(t *testing.T) {
	t.Parallel()
	var fails error
	account := func(c *web.Config) {
		c.Account = func(_ context.Context, user string) (string, error) { return user + "@example.com", fails }
	}
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) { c.CodesAtSetup, c.ReplenishCodes = true, true }), account)
	b := h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").at("/2fa/setup", "Account: <bdi>alice@example.com<")
	codes := b.codes()
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes", "Account: <bdi>alice@example.com<")
	b.get("/2fa/codes.txt").sees("Account: alice@example.com")
	b.login("alice").submit("/2fa/sign-in", "code", codes[0]).sees("Account: <bdi>alice@example.com<", "Save your new recovery code")

	// While there is no name, the code is not lost.
	b.login("alice")
	fails = errors.New("the users are not there")
	if b.submit("/2fa/sign-in", "code", codes[1]); b.status != http.StatusInternalServerError || !errors.Is(h.failure, fails) {
		t.Errorf("status %d, %v", b.status, h.failure)
	}
	fails = nil
	b.get("/2fa/codes").sees("Account: <bdi>alice@example.com<", "Save your new recovery code")
}

// While app codes are locked, the page asks for a recovery code and counts down.
func TestLocked(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	b := h.browser().login("alice")
	for range 4 {
		b.submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now())).lacks("data-wait").sees(`<label for="code">Code</label>`)
	}
	for range 2 { // the one that locks, and the next
		b.submit("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
		b.sees(`data-wait="60"`, `data-over="You can try again now."`, `<label for="code">Recovery code</label>`)
		b.lacks("data-submit")
	}
}

// All times are those of the Guard's clock, which is far from the machine's in this test.
func TestClock(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	now := h.kit.Clock.Now()
	b, app, _ := h.member("alice")
	if at := h.started[0].At; !at.Equal(now) {
		t.Errorf("the session began at %v, want %v", at, now)
	}
	if renewed := h.started[1]; !renewed.Renewed || !renewed.At.IsZero() {
		t.Errorf("the renewed session is %+v", renewed)
	}
	b.login("alice").submit("/2fa/sign-in", "code", h.code(app))
	if at := h.started[2].At; !at.Equal(h.kit.Clock.Now()) {
		t.Errorf("the session began at %v, want %v", at, h.kit.Clock.Now())
	}
	b.login("alice")
	for range 5 {
		b.post("/2fa/sign-in", "code", app.WrongCode(h.kit.Clock.Now()))
	}
	b.sees(`data-wait="60"`)
	b = h.browser().login("bob").get("/2fa/setup/begin").submit("/2fa/setup/begin")
	b.submit("/2fa/setup", "code", h.code(b.scan())).at("/2fa/codes", h.kit.Clock.Now().Format(time.DateOnly))
	b.get("/2fa/codes.txt").sees(h.kit.Clock.Now().Format(time.DateOnly))
}

// While the database is down, the user learns nothing and is not let in.
func TestFaults(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	b := h.browser().login("alice")
	down := errors.New("the database is down")
	h.kit.FailStore(down)
	for _, code := range []string{h.code(app), app.WrongCode(h.kit.Clock.Now())} {
		if b.post("/2fa/sign-in", "code", code); b.status != http.StatusInternalServerError || b.body != "" {
			t.Errorf("status %d, %q", b.status, b.body)
		}
		if !errors.Is(h.failure, down) {
			t.Errorf("Fail got %v", h.failure)
		}
	}
	h.browser().login("alice")
	h.kit.FailStore(nil)
	b.get("/").sees(`home of ""`)
	b.get("/2fa/sign-in").submit("/2fa/sign-in", "code", h.code(app)).at("/", `home of "alice"`)
}

// Two tabs sign in: the second is led home. A challenge that is over leads to the
// password.
func TestSignInTwice(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	_, app, _ := h.member("alice")
	b := h.browser().login("alice")
	form := b.form("/2fa/sign-in", "code", h.code(app))
	other := b.clone()
	b.post("/2fa/sign-in", form...).at("/")
	b.post("/2fa/sign-in", form...).at("/", `home of "alice"`)
	b.get("/2fa/sign-in").at("/")
	other.post("/2fa/sign-in", form...).at("/2fa/sign-in", "Sign in again").lacks(`name="code"`)
	b = h.browser().login("alice")
	h.kit.Clock.Advance(11 * time.Minute)
	b.submit("/2fa/sign-in", "code", h.code(app)).at("/2fa/sign-in", "Sign in again")
}

// Who types the key in has to choose what an app does not take for granted.
func TestUnusualParams(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t, func(c *enrollment.Config) {
		c.Params = totp.Params{Algorithm: totp.SHA256, Digits: 8, Period: time.Minute}
	}))
	h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").sees("Choose SHA256, 8 digits and 1 minute.", `data-submit="8"`)
	if fips.Enforced() {
		t.Skip("the usual app makes codes with SHA-1")
	}
	h = newHost(t, enrollmenttest.New(t))
	h.browser().login("alice").get("/2fa/setup/begin").submit("/2fa/setup/begin").lacks("Choose SHA").sees(`data-submit="6"`, `<img class="qr" src="data:image/png;base64,iVBOR`)
}
