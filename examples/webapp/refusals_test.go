package main

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.browser()
	b.signUp("alice@example.com")
	for name, c := range map[string]struct{ email, password, says string }{
		"taken":          {" Alice@Example.com ", password, "That e-mail address already has an account."},
		"no address":     {"alice", password, "We can’t use that e-mail address."},
		"no domain":      {"alice@", password, "We can’t use that e-mail address."},
		"two at signs":   {"a@b@c.example", password, "We can’t use that e-mail address."},
		"a space":        {"a b@c.example", password, "We can’t use that e-mail address."},
		"quoted space":   {`"a b"@c.example`, password, "We can’t use that e-mail address."},
		"a name":         {"Alice <a@c.example>", password, "We can’t use that e-mail address."},
		"turned around":  {"a\u202eb@c.example", password, "We can’t use that e-mail address."},
		"colon":          {"a:b@example.com", password, "We can’t use that e-mail address."},
		"control":        {"a\nb@example.com", password, "We can’t use that e-mail address."},
		"long address":   {strings.Repeat("a", 255) + "@example.com", password, "We can’t use that e-mail address."},
		"short password": {"bob@example.com", "1234567", "at least 8 characters"},
		"long password":  {"bob@example.com", strings.Repeat("a", 73), "at most 72 bytes"},
	} {
		b.get("/sign-up")
		b.submit("/sign-up", "email", c.email, "password", c.password)
		if b.page.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", name, b.page.status)
		}
		b.sees(c.says)
	}

	// The page does not reveal whether the address or the password is wrong.
	const says = "Wrong e-mail address or password."
	for name, c := range map[string]struct{ email, password string }{
		"unknown":   {"bob@example.com", password},
		"wrong":     {"alice@example.com", "wrong horse battery"},
		"empty":     {"alice@example.com", ""},
		"longer":    {"alice@example.com", password + strings.Repeat("x", 100)},
		"no fields": {"", ""},
	} {
		b.get("/sign-in")
		b.submit("/sign-in", "email", c.email, "password", c.password)
		if b.page.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", name, b.page.status)
		}
		b.sees(says)
		b.get("/security/")
		b.signedOut()
	}
}

// TestLongestPassword checks that no password is cut at the 72 bytes that bcrypt
// uses.
func TestLongestPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	longest := strings.Repeat("a", accounts.MaxPassword)
	if _, err := s.app.accounts.Create(t.Context(), "alice@example.com", longest, "en"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.accounts.Authenticate(t.Context(), "alice@example.com", longest); err != nil {
		t.Errorf("the longest password: %v", err)
	}
	if _, err := s.app.accounts.Authenticate(t.Context(), "alice@example.com", longest+"b"); !errors.Is(err, accounts.ErrNoUser) {
		t.Errorf("a longer one: %v, want accounts.ErrNoUser", err)
	}
}

// TestHalfSignedIn checks that a right password alone opens nothing.
func TestHalfSignedIn(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	phone, _ := b.enable()

	half := s.browser()
	half.signIn(email)
	half.at("/security/sign-in")
	for _, path := range []string{
		"/security/", "/security/setup/begin", "/security/setup", "/security/codes/new", "/security/codes/kept", "/security/remove?id=0", "/security/disable",
		"/security/address", "/security/address/code", "/security/address/remove", "/security/step?for=settings", "/password", "/data",
		"/admin/members", "/admin/members.csv", "/admin/mandate", "/admin/member?id=0",
	} {
		half.get(path)
		half.signedOut()
	}
	for _, path := range []string{
		"/security/setup/begin", "/security/setup", "/security/setup/cancel", "/security/codes/new", "/security/rename", "/security/remove", "/security/disable",
		"/security/address", "/security/address/code", "/security/address/remove", "/security/step", "/password", "/confirm",
		"/security/devices/revoke", "/security/devices/rename", "/security/reset/cancel", "/admin/mandate", "/admin/member",
	} {
		half.post(path, url.Values{"code": {phone.next()}, "for": {"settings"}})
		half.signedOut()
	}
	half.get("/")
	if strings.Contains(half.page.body, email) || strings.Contains(half.page.body, "Sign out") {
		t.Error("the home page takes half a sign-in for a whole one")
	}

	// Without a challenge there is nothing to answer.
	stranger := s.browser()
	stranger.post("/security/sign-in", url.Values{"code": {phone.next()}})
	stranger.sees("Sign in with your password first.")

	// The challenge expires.
	half.get("/security/sign-in")
	half.at("/security/sign-in")
	s.clock.advance(11 * time.Minute)
	half.code(phone.shows())
	half.sees("That took too long.", "Sign in again")
	half.lacks(`name="code"`)
}

// TestLock enters wrong codes until app codes are locked.
func TestLock(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	phone, codes := b.enable()
	b.get("/")
	b.signOut()
	b.signIn(email)
	for range 4 {
		b.code(phone.wrong())
		b.denied("That code is wrong.")
	}
	b.code(phone.wrong())
	b.denied("Wait 1 minute before you try again")
	b.sees(`data-wait="60"`)

	// A new sign-in gives no new guesses, and the right code is refused too.
	b.signIn(email)
	b.code(phone.next())
	b.denied("Wait 30 seconds before you try again")

	// The owner signs in with a recovery code and reads what happened.
	b.code(codes[0])
	b.get("/security/")
	b.sees("Too many wrong codes were entered")
	s.received(email, "Too many wrong codes were entered")

	// Guesses before a change of settings count too, and the page shows the lock.
	b.get("/security/disable")
	for range 5 {
		b.submit("/security/step", "code", phone.wrong())
	}
	b.get("/security/")
	b.sees("Too many wrong codes were entered. Wait 1 minute before you try again.")
	b.get("/data")
	b.step(phone.next())
	b.denied("Wait 30 seconds")
}

func TestFewCodes(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	_, codes := b.enable()
	b.get("/")
	for i, code := range codes {
		b.signOut()
		b.signIn(email)
		b.code(code)
		last := b.page
		b.get("/security/")
		if i == len(codes)-1 && !last.says("your last recovery code") {
			t.Errorf("nobody says that it was the last:\n%s", last.body)
		}
		if warned := strings.Contains(b.page.body, "Make new ones before you run out."); warned != (i >= 6) {
			t.Errorf("with %d left, the page warns: %v", 9-i, warned)
		}
	}
	b.sees("0 of 10 are left.")
}

// TestSupersededTab starts a setup in one tab and another one in a second tab.
func TestSupersededTab(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	b.get("/security/setup/begin")
	b.submit("/security/setup/begin")
	tab, first := b.page, b.scan()
	b.get("/security/setup/begin")
	b.submit("/security/setup/begin")

	b.page = tab
	b.submit("/security/setup", "code", first.shows())
	b.at("/security/setup") // that of the other tab
	b.sees("You have started another setup")
	b.get("/security/")
	b.sees("off")
	b.get("/security/setup/begin")
	b.submit("/security/setup/begin")
	second := b.scan()
	b.submit("/security/setup", "code", second.shows())
	b.saved()

	// Sending the form again shows nothing and changes nothing.
	b.page = tab
	b.submit("/security/setup", "code", first.next())
	b.get("/security/")
	b.sees("10 of 10 are left.")
}

func TestSetupIsForOneUser(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	alice, mallory := s.browser(), s.browser()
	for b, email := range map[*browser]string{alice: "alice@example.com", mallory: "mallory@example.com"} {
		b.signUp(email)
		b.signIn(email)
		b.get("/security/setup/begin")
		b.submit("/security/setup/begin")
	}
	page, phone := alice.page, alice.scan()
	mallory.page = page // with alice's token and secret
	mallory.submit("/security/setup", "code", phone.shows())
	mallory.sees("This browser was used with another account in the meantime.")
	mallory.get("/security/setup") // mallory's own
	if shown := mallory.scan(); shown.key.Secret().Equal(phone.key.Secret()) {
		t.Error("mallory sees alice's secret")
	}
	alice.page = page
	alice.submit("/security/setup", "code", phone.shows())
	alice.saved()

	// Another browser of the same user sees that a setup is pending, but not its secret.
	s.clock.advance(time.Minute)
	alice.get("/security/")
	alice.follow("Add an authenticator")
	alice.step(phone.shows())
	alice.submit("/security/setup/begin")
	tablet, page := alice.scan(), alice.page
	alice.submit("/security/setup", "code", tablet.wrong())
	alice.denied("That code is wrong.")
	if again := alice.scan(); again.key.Secret().Base32() != tablet.key.Secret().Base32() {
		t.Error("after a wrong code the page shows another secret")
	}
	other := s.browser()
	other.signIn("alice@example.com")
	other.code(phone.next())
	other.get("/security/")
	other.sees("If you did not start it, cancel it")
	other.get("/security/setup")
	other.lacks("otpauth:")

	// An expired setup is gone.
	s.clock.advance(16 * time.Minute)
	alice.page = page
	alice.submit("/security/setup", "code", tablet.shows())
	alice.sees("That took too long, and the QR code has expired.")
	alice.lacks("otpauth:")
}

func TestStepUp(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	b.get("/data")
	b.sees("Anyone who uses your computer can see this page.", `"email": "`+email+`"`)
	phone, _ := b.enable()

	b.get("/data")
	b.step(phone.shows()) // the code of the setup
	b.denied("That code was already used.")
	b.step(phone.next())
	b.at("/data")
	b.sees(`"email": "` + email + `"`)
	s.clock.advance(4 * time.Minute)
	b.get("/data")
	b.sees(`"email": "` + email + `"`)
	s.clock.advance(2 * time.Minute)
	b.get("/data")
	b.askedForCode()

	// A code for settings is good for several changes, but not for long.
	b.get("/security/setup/begin")
	b.step(phone.next())
	question := b.page
	b.get("/security/codes/new")
	b.at("/security/codes/new")
	b.get("/data")
	b.askedForCode() // another purpose
	s.clock.advance(6 * time.Minute)
	b.page = question // loaded in time, but sent too late
	b.submit("/security/setup/begin")
	b.step(phone.next())
	b.submit("/security/setup/begin")
	b.scan()
}

// A user who lost the phone uses a recovery code as the proof, and then enters a code
// from the new app.
func TestReplaceByRecoveryCode(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.member("alice@example.com")
	_, codes := b.enable()
	s.clock.advance(10 * time.Minute) // the receipt has expired
	b.get("/security/")
	b.follow("Replace")
	b.step(codes[0])
	b.submit("/security/setup/begin")
	replacement := b.scan()
	b.submit("/security/setup", "code", replacement.wrong())
	b.denied("That code is wrong.")
	b.submit("/security/setup", "code", replacement.shows())
	b.sees("The new app has replaced the old one.")
}

// The page warns about a setup that someone else has started, even if the user has
// started one too.
func TestSecurityWarnsOfAnotherSetup(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	owner := s.member("alice@example.com")
	other := s.browser()
	other.signIn("alice@example.com")
	for _, b := range []*browser{owner, other} {
		b.get("/security/setup/begin")
		b.submit("/security/setup/begin")
		b.at("/security/setup")
	}
	owner.get("/security/")
	owner.sees("If you did not start it, cancel it")
}

func TestForgedRequests(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	phone, _ := b.enable()

	send := func(path string, body string, headers map[string]string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		response, err := b.client.Do(request) // with the session's cookie
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	code := url.Values{"code": {phone.next()}}.Encode()
	for name, headers := range map[string]map[string]string{
		"another site":   {"Sec-Fetch-Site": "cross-site"},
		"a subdomain":    {"Sec-Fetch-Site": "same-site"},
		"another origin": {"Origin": "https://evil.example"},
		"no origin":      {"Origin": "null"},
	} {
		for _, path := range []string{"/security/disable", "/sign-out", "/sign-in", "/security/setup/begin", "/security/step", "/admin/member", "/confirm"} {
			if status := send(path, code, headers); status != http.StatusForbidden {
				t.Errorf("%s: %s answers %d", name, path, status)
			}
		}
	}
	if status := send("/security/disable", "code="+strings.Repeat("1", maxBody), nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form: %d", status)
	}
	// A code in the URL is ignored.
	b.get("/security/disable?" + code)
	b.post("/security/step?for=settings&"+code, url.Values{"for": {"settings"}})
	b.denied("That is not a code.")
	b.step(phone.shows()) // it was not used up
	b.get("/security/disable")
	b.submit("/security/disable")
	b.sees("Two-factor authentication is off.")
}

// TestKeyFile starts without the key file of a database with accounts.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.browser()
	b.signUp("alice@example.com")
	b.signIn("alice@example.com")
	phone, _ := b.enable()
	path := filepath.Join(s.config.data, "twofactor.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info, err)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), s.config); !errors.Is(err, keyfile.ErrLost) || !strings.Contains(err.Error(), path) {
		t.Errorf("starts without its keys: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	s.restart()
	b.signIn("alice@example.com")
	b.code(phone.next())
	b.at("/")
}

// TestFaults damages an account: the page only says that something went wrong, and
// nobody gets in.
func TestFaults(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	b.enable()
	if _, err := s.app.accounts.SQL.Exec(`UPDATE twofactor_accounts SET data = x'00'`); err != nil {
		t.Fatal(err)
	}
	response, err := s.browser().client.PostForm(s.server.URL+"/sign-in", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 1<<16)
	n, _ := response.Body.Read(body)
	response.Body.Close()
	if response.StatusCode != http.StatusInternalServerError || !strings.Contains(string(body[:n]), "Something went wrong") {
		t.Errorf("a damaged account: %s\n%s", response.Status, body[:n])
	}
	if regexp.MustCompile(`(?i)corrupt|sql|enrollment|seal`).Match(body[:n]) {
		t.Errorf("tells too much:\n%s", body[:n])
	}
	if !strings.Contains(s.log.String(), "corrupt") {
		t.Error("tells the log too little")
	}
}
