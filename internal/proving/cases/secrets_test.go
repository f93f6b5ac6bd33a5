package cases_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A scan goes through everything that the library says about accounts: events,
// lines of the log, observations, errors, and what is listed.
type scan struct {
	t        *testing.T
	kit      *enrollmenttest.Kit
	mu       sync.Mutex
	canaries map[string]string // text and what it is
	digits   []*regexp.Regexp  // of delivered codes, which are short
	said     []string
	text     bytes.Buffer // of the log
	json     bytes.Buffer
	told     int
	errors   map[enrollment.Reason]bool
}

// watch adds something that must not be said, in the forms it could take.
func (s *scan) watch(what string, secrets ...string) {
	for _, x := range secrets {
		bare := strings.ReplaceAll(strings.ReplaceAll(x, "-", ""), " ", "")
		for _, form := range []string{
			x, bare, strings.ToLower(bare), hex.EncodeToString([]byte(x)), hex.EncodeToString([]byte(bare)),
			base64.StdEncoding.EncodeToString([]byte(x)), base64.RawURLEncoding.EncodeToString([]byte(x)), strings.Trim(fmt.Sprint([]byte(x)), "[]"),
		} {
			if len(form) < 6 {
				s.t.Fatalf("a %s of %d bytes would be found anywhere", what, len(form))
			}
			s.canaries[form] = what
		}
	}
}

// watchDigits adds a delivered code. By itself it is found as a word only: six
// digits are soon part of an address in memory.
func (s *scan) watchDigits(code string) {
	s.watch("delivered code", "code "+code)
	s.canaries[hex.EncodeToString([]byte(code))] = "delivered code"
	s.digits = append(s.digits, regexp.MustCompile(`\b`+code+`\b`))
}

func (s *scan) watchKey(key totp.Key) {
	raw := key.Secret().Reveal()
	s.watch("secret", string(raw), key.Secret().Base32(), key.Secret().Grouped())
}

// say renders a value in every way in which a host might.
func (s *scan) say(x any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		s.said = append(s.said, fmt.Sprintf(verb, x))
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&s.text, nil), slog.NewJSONHandler(&s.json, nil)} {
		slog.New(h).Info("said", "x", x)
	}
	if b, err := json.Marshal(x); err == nil && !travels(x) {
		s.said = append(s.said, string(b))
	}
}

// travels reports whether a value is encoded with its token, which it is for.
func travels(x any) bool {
	switch x.(type) {
	case enrollment.TrustedDevice, *enrollment.TrustedDevice, enrollment.Ticket:
		return true
	}
	return false
}

// err says what an error says, its whole chain.
func (s *scan) err(err error) {
	s.t.Helper()
	if err == nil {
		s.t.Error("no error where one was expected")
		return
	}
	var denied *enrollment.Denied
	if errors.As(err, &denied) {
		s.errors[denied.Reason] = true
	}
	s.say(err)
	for ; err != nil; err = errors.Unwrap(err) {
		s.say(err)
	}
}

// ok fails the test if what should have worked did not.
func (s *scan) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// find reports every canary in what was said.
func (s *scan) find() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append(s.said, s.text.String(), s.json.String())
	for _, text := range all {
		for canary, what := range s.canaries {
			if i := strings.Index(text, canary); i >= 0 {
				s.t.Errorf("a %s shows: %.200s", what, text[max(0, i-80):])
			}
		}
		for _, code := range s.digits {
			if at := code.FindStringIndex(text); at != nil {
				s.t.Errorf("a delivered code shows: %.200s", text[max(0, at[0]-80):])
			}
		}
	}
}

func newScan(t *testing.T, adjust func(c *enrollment.Config)) *scan {
	s := &scan{t: t, canaries: make(map[string]string), errors: make(map[enrollment.Reason]bool)}
	s.kit = enrollmenttest.New(t, func(c *enrollment.Config) {
		c.Logger = slog.New(scanHandler{s, slog.NewTextHandler(&s.text, nil), slog.NewJSONHandler(&s.json, nil)})
		c.Observe = func(o enrollment.Observation) { s.say(o) }
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			s.told++
			s.say(e)
			return nil
		}
		if adjust != nil {
			adjust(c)
		}
	})
	return s
}

// A scanHandler writes the log as text and as JSON.
type scanHandler struct {
	s          *scan
	text, json slog.Handler
}

func (h scanHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h scanHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h scanHandler) WithGroup(string) slog.Handler            { return h }
func (h scanHandler) Handle(ctx context.Context, r slog.Record) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return errors.Join(h.text.Handle(ctx, r), h.json.Handle(ctx, r))
}

// look says what is listed of the account.
func (s *scan) look(user string) {
	s.t.Helper()
	status, err := s.kit.Guard.Status(s.t.Context(), user)
	s.ok(err)
	devices, err := s.kit.Guard.Devices().List(s.t.Context(), user)
	s.ok(err)
	s.say(status)
	s.say(&status)
	s.say(devices)
	type host struct {
		status  enrollment.Status
		devices []enrollment.Device
	}
	s.say(host{status, devices})
}

// TestCase32_SecretsInTheLog: secrets in audit logs. All operations, and nothing
// they say to anybody but the caller has a secret in it. (Case 31 is the same for
// Status.)
func TestCase32_SecretsInTheLog(t *testing.T) {
	t.Parallel()
	var s *scan
	var sent enrollment.Message
	var send func(m enrollment.Message)
	s = newScan(t, func(c *enrollment.Config) {
		c.CodesAtSetup, c.KeepCodes, c.ReplenishCodes, c.ReauthDisables = true, true, true, true
		c.Sender = brokenSender(func(_ context.Context, m enrollment.Message) error {
			send(m)
			return nil
		})
	})
	send = func(m enrollment.Message) {
		sent = m
		s.say(m)
		s.watchDigits(m.Code())
	}
	const user = "alice"
	ctx, g, clock := t.Context(), s.kit.Guard, s.kit.Clock
	messages, resets := g.Messages(), g.ResetRequests()
	admin := g.Admin("root", "asked by telephone")

	// A setup, its codes, its token.
	setup, err := g.Begin(ctx, user, enrollment.BeginOptions{Account: "alice", Name: "phone", Proof: enrollment.ByReauth("password")})
	s.ok(err)
	app, err := enrollmenttest.Scan(setup.URI())
	s.ok(err)
	key, _, err := totp.ParseURI(setup.URI())
	s.ok(err)
	s.watchKey(key)
	s.watch("token of a setup", setup.Token.Reveal())
	s.watch("URI", setup.URI())
	s.watch("recovery code", setup.Codes().Reveal()...)
	_, err = g.Resume(ctx, user, enrollment.SetupTokenOf(setup.Token.Reveal()+"x"))
	s.err(err)
	_, err = g.Confirm(ctx, user, setup.Token, app.WrongCode(clock.Now()))
	s.err(err)
	done, err := g.Confirm(ctx, user, setup.Token, app.Code(clock.Now()))
	s.ok(err)
	codes := done.Codes.Reveal()
	s.watch("receipt", done.Success.Receipt.Reveal())
	s.look(user)
	code := func() string {
		clock.Advance(30 * time.Second)
		return app.Code(clock.Now())
	}

	// Sign-ins, a device, a bypass.
	d, err := g.SignIn(ctx, user, enrollment.SignInOptions{Channel: "web"})
	s.ok(err)
	s.watch("challenge", d.Challenge.Reveal())
	_, err = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, app.WrongCode(clock.Now()))
	s.err(err)
	ok, err := g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, code())
	s.ok(err)
	s.watch("receipt", ok.Receipt.Reveal())
	_, err = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, code())
	s.err(err)
	_, err = g.RecentlyVerified(ctx, user, "another", ok.Receipt, time.Minute)
	s.err(err)
	trusted, err := g.Devices().Trust(ctx, user, ok.Receipt, "Firefox")
	s.ok(err)
	s.watch("token of a device", trusted.Token.Reveal())
	s.say(trusted)
	s.say(&trusted)
	_, err = g.Devices().Trust(ctx, user, enrollment.ReceiptOf(ok.Receipt.Reveal()+"x"), "Firefox")
	s.err(err)
	d, err = g.SignIn(ctx, user, enrollment.SignInOptions{Device: trusted.Token})
	s.ok(err)
	s.say(d)
	s.look(user)
	s.ok(g.Devices().Rename(ctx, user, trusted.Device.ID, "home"))
	s.err(g.Devices().Rename(ctx, user, trusted.Token.Reveal(), "home"))
	s.err(g.Rename(ctx, user, trusted.Token.Reveal(), "work"))
	s.ok(g.Devices().Revoke(ctx, user, trusted.Device.ID))
	s.err(g.Devices().Revoke(ctx, user, trusted.Token.Reveal()))
	s.ok(g.Devices().RevokeAll(ctx, user))
	s.ok(admin.Bypass(ctx, user, clock.Now().Add(time.Hour)))
	s.err(admin.Bypass(ctx, user, clock.Now().Add(1000*time.Hour)))
	s.err(g.Admin(user, "myself").Bypass(ctx, user, clock.Now().Add(time.Hour)))
	d, err = g.SignIn(ctx, user, enrollment.SignInOptions{})
	s.ok(err)
	s.say(d)
	s.look(user)

	// Recovery codes: replaced, shown, renewed.
	ok, err = g.Verify(ctx, user, "step-up", codes[0])
	s.ok(err)
	s.watch("new recovery code", ok.NewCode.Reveal())
	s.watch("receipt", ok.Receipt.Reveal())
	redacted := ok
	redacted.Receipt = enrollment.Receipt{}
	s.say(redacted)
	_, err = g.Verify(ctx, user, "step-up", codes[0])
	s.err(err)
	_, err = g.RecoveryCodes(ctx, user, enrollment.ByCode(codes[1]))
	s.err(err)
	shown, err := g.RecoveryCodes(ctx, user, enrollment.ByCode(code()))
	s.ok(err)
	s.say(shown)
	s.watch("recovery code", shown.Reveal()...)
	renewed, err := g.RenewCodes(ctx, user, enrollment.ByCode(code()))
	s.ok(err)
	s.watch("recovery code", renewed.Codes.Reveal()...)
	s.watch("receipt", renewed.Receipt.Reveal())
	s.look(user)

	// Messages.
	const to = "+43 1 555 0142"
	s.watch("address", to)
	binding, err := messages.Bind(ctx, user, enrollment.BindOptions{Channel: "sms", To: to, Proof: enrollment.ByCode(code())})
	s.ok(err)
	s.watch("token of an address", binding.Token.Reveal())
	_, err = messages.Confirm(ctx, user, binding.Token, wrongDigits(sent.Code()))
	s.err(err)
	done, err = messages.Confirm(ctx, user, binding.Token, sent.Code())
	s.ok(err)
	s.watch("receipt", done.Success.Receipt.Reveal())
	clock.Advance(time.Minute)
	d, err = g.SignIn(ctx, user, enrollment.SignInOptions{})
	s.ok(err)
	s.watch("challenge", d.Challenge.Reveal())
	delivery, err := messages.Send(ctx, enrollment.PurposeSignIn, d.Challenge)
	s.ok(err)
	s.watch("challenge", delivery.Challenge.Reveal())
	_, err = messages.Send(ctx, enrollment.PurposeSignIn, delivery.Challenge)
	s.err(err)
	s.look(user)
	for range 3 {
		_, err = g.Answer(ctx, enrollment.PurposeSignIn, delivery.Challenge, wrongDigits(sent.Code()))
		s.err(err)
	}
	ok, err = g.Answer(ctx, enrollment.PurposeSignIn, delivery.Challenge, sent.Code())
	s.ok(err)
	s.watch("receipt", ok.Receipt.Reveal())
	s.err(messages.Unbind(ctx, user, enrollment.ByReceipt(ok.Receipt)))
	s.ok(messages.Unbind(ctx, user, enrollment.ByCode(code())))
	send = func(m enrollment.Message) { panic("to " + m.To + ", code " + m.Code()) }
	clock.Advance(time.Minute)
	_, err = messages.Bind(ctx, user, enrollment.BindOptions{Channel: "sms", To: to, Proof: enrollment.ByCode(code())})
	s.err(err)
	s.look(user)

	// Out and in again, a reset, a ticket.
	exported, err := admin.Export(ctx, user)
	s.ok(err)
	s.say(exported)
	d, err = g.SignIn(ctx, user, enrollment.SignInOptions{})
	s.ok(err)
	s.watch("challenge", d.Challenge.Reveal())
	_, err = resets.Open(ctx, d.Challenge)
	s.ok(err)
	s.look(user)
	s.ok(resets.Cancel(ctx, user))
	s.err(resets.Cancel(ctx, user))
	_, err = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, app.WrongCode(clock.Now()))
	s.err(err)
	clock.Advance(25 * time.Hour)
	d, err = g.SignIn(ctx, user, enrollment.SignInOptions{})
	s.ok(err)
	_, err = resets.Open(ctx, d.Challenge)
	s.ok(err)
	_, err = admin.ApproveReset(ctx, user, enrollment.ResetOptions{})
	s.err(err)
	s.ok(admin.RefuseReset(ctx, user))
	three := proving.Three(key, clock.Now())
	_, err = g.ThreeCodes().Verify(ctx, user, "x", proving.NearMiss(three, 1))
	s.err(err)
	ok, err = g.ThreeCodes().Verify(ctx, user, "x", three)
	s.ok(err)
	s.watch("receipt", ok.Receipt.Reveal())
	_, err = g.ThreeCodes().Verify(ctx, user, "x", three)
	s.err(err)
	for range 6 {
		_, err = g.Verify(ctx, user, "x", app.WrongCode(clock.Now()))
		s.err(err)
	}
	s.ok(admin.Unlock(ctx, user))
	ticket, err := admin.Reset(ctx, user, enrollment.ResetOptions{Ticket: true})
	s.ok(err)
	s.watch("ticket", ticket.Reveal())
	s.say(ticket)
	_, err = g.Begin(ctx, user, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
	s.err(err)
	s.watch("text for a ticket", "no such ticket")
	for _, text := range []string{codes[0], "no such ticket"} {
		_, err = g.Begin(ctx, user, enrollment.BeginOptions{Account: "a", Ticket: enrollment.TicketOf(text), Proof: enrollment.ByReauth("password")})
		s.err(err)
	}
	s.look(user)
	other := sha256.Sum256([]byte("other-code-1"))
	s.watch("code of another system", "other-code-1")
	s.watch("hash of another system", string(other[:]))
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}, RecoveryHashes: proving.Hashes(other[:]), Again: true}
	s.err(admin.Import(ctx, user, enrollment.Import{Authenticators: im.Authenticators, RecoveryHashes: proving.Hashes(other[:31])}))
	old := im
	_, err = g.SignIn(ctx, user, enrollment.SignInOptions{Import: &old})
	s.err(err) // Again
	old.Again = false
	_, err = g.SignIn(ctx, user, enrollment.SignInOptions{Import: &old})
	s.ok(err)
	s.ok(admin.Import(ctx, user, im))
	s.err(admin.Import(ctx, user, im))
	s.look(user)
	ok, err = g.Verify(ctx, user, "x", "other-code-1")
	s.ok(err)
	s.watch("receipt", ok.Receipt.Reveal())
	_, err = g.Verify(ctx, user, "x", "other-code-1")
	s.err(err)
	s.err(g.Remove(ctx, user, ok.Authenticator, enrollment.ByCode(codes[1])))
	s.ok(g.Disable(ctx, user, enrollment.ByReauth("password")))
	s.look(user)

	// A hardware token.
	hardware := enrollment.BeginOptions{HardwareToken: proving.TheirKey(t, "token", totp.Params{}), Proof: enrollment.ByReauth("password")}
	s.watchKey(hardware.HardwareToken)
	s.say(hardware)
	clock.Advance(time.Minute)
	setup, err = g.Begin(ctx, user, hardware)
	s.ok(err)
	s.watch("token of a setup", setup.Token.Reveal())
	s.say(setup)
	_, err = g.Confirm(ctx, user, setup.Token, proving.WrongCode(clock.Now(), hardware.HardwareToken))
	s.err(err)
	done, err = g.Confirm(ctx, user, setup.Token, proving.Shown(hardware.HardwareToken, clock.Now()))
	s.ok(err)
	s.watch("recovery code", done.Codes.Reveal()...)
	s.watch("receipt", done.Success.Receipt.Reveal())
	hardware.Proof = enrollment.ByReceipt(done.Success.Receipt)
	_, err = g.Begin(ctx, user, hardware)
	s.err(err)
	ahead := proving.Three(hardware.HardwareToken, clock.Now().Add(5*time.Minute))
	for _, c := range ahead {
		s.watchDigits(c)
	}
	s.err(g.ThreeCodes().Resynchronize(ctx, user, done.Success.Authenticator, ahead, enrollment.Proof{}))
	s.ok(g.ThreeCodes().Resynchronize(ctx, user, done.Success.Authenticator, ahead, hardware.Proof))
	s.err(g.ThreeCodes().Resynchronize(ctx, user, done.Success.Authenticator, ahead, hardware.Proof))
	s.look(user)
	s.ok(admin.Move(ctx, user, user+".2"))
	s.err(admin.Move(ctx, "nobody", user))
	_, err = g.Status(ctx, user)
	s.err(err)
	s.look(user + ".2")
	s.ok(admin.Erase(ctx, user))
	s.ok(admin.Erase(ctx, user+".2"))

	s.find()
	if s.told < 18 || len(s.errors) < 16 || len(s.canaries) < 100 {
		t.Errorf("the scan saw %d events, %d reasons and knew %d canaries", s.told, len(s.errors), len(s.canaries))
	}
	var kinds []string
	for _, kind := range enrollment.EventKinds() {
		if !strings.Contains(s.text.String(), "event="+string(kind)) {
			kinds = append(kinds, string(kind))
		}
	}
	// What a sweep does, a second authenticator, a change while devices are trusted, and what takes a hundred wrong codes.
	if got := strings.Join(kinds, " "); got != "authenticator_added authenticator_removed authenticator_renamed authenticator_replaced devices_forgotten factor_disabled reset_matured reset_reminder" {
		t.Errorf("the scan never saw: %s", got)
	}
}

// wrongDigits is another code of the same length.
func wrongDigits(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// A brokenSender has its own idea of sending.
type brokenSender func(ctx context.Context, m enrollment.Message) error

func (f brokenSender) Send(ctx context.Context, m enrollment.Message) error { return f(ctx, m) }
