package enrollment_test

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestSetupShowsTheSame(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	setup, app := k.Begin("alice", enrollment.BeginOptions{Account: "alice@example.com", Issuer: "Brand & Söhne", Image: "https://example.com/l.png"})
	if shown, err := enrollmenttest.Scan(setup.URI()); err != nil || shown.Issuer() != "Brand & Söhne" || shown.Account() != "alice@example.com" {
		t.Errorf("the app shows %+v, %v", shown, err)
	}
	typed, err := totp.ParseSecret(setup.Secret().Grouped())
	if err != nil || !strings.Contains(setup.URI(), typed.Base32()) || !strings.Contains(setup.Secret().Grouped(), " ") {
		t.Errorf("the secret to type is not the one of the URI: %v", err)
	}
	if setup.Params() != (totp.Params{}).WithDefaults() || !setup.Expires.Equal(k.Now().Add(15*time.Minute)) {
		t.Errorf("params %v, expires %v", setup.Params(), setup.Expires)
	}
	code, err := setup.QR()
	if err != nil {
		t.Fatal(err)
	}
	direct, err := qr.New(setup.URI())
	if err != nil || code.SVG("x") != direct.SVG("x") {
		t.Errorf("the QR code is not that of the URI: %v", err)
	}

	k.Pass(time.Minute)
	again, err := k.Guard.Resume(t.Context(), "alice", setup.Token)
	if err != nil {
		t.Fatal(err)
	}
	if again.URI() != setup.URI() || !again.Secret().Equal(setup.Secret()) || !again.Expires.Equal(setup.Expires) {
		t.Error("Resume shows another setup")
	}
	if done, err := k.Guard.Confirm(t.Context(), "alice", again.Token, k.Code(app)); err != nil || done.Event != enrollment.EventEnabled {
		t.Errorf("with the token of Resume: %q, %v", done.Event, err)
	}

	var zero enrollment.Setup
	if zero.URI() != "" || !zero.Secret().IsZero() {
		t.Error("the zero setup has a secret")
	}
	if _, err := zero.QR(); !errors.Is(err, qr.ErrEmpty) {
		t.Errorf("the QR code of the zero setup: %v", err)
	}
}

func TestSetupTokenIsBound(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ctx := t.Context()
	first, firstApp := k.Begin("alice", enrollment.BeginOptions{})
	second, app := k.Begin("alice", enrollment.BeginOptions{})
	bobs, _ := k.Begin("bob", enrollment.BeginOptions{})
	cut := second.Token.Reveal()
	for name, c := range map[string]struct {
		token enrollment.SetupToken
		want  enrollment.Reason
	}{
		"superseded":     {first.Token, enrollment.ReasonSetupSuperseded},
		"another user's": {bobs.Token, enrollment.ReasonSetupInvalid},
		"rubbish":        {enrollment.SetupTokenOf("rubbish"), enrollment.ReasonSetupInvalid},
		"nothing":        {enrollment.SetupToken{}, enrollment.ReasonSetupInvalid},
		"cut":            {enrollment.SetupTokenOf(cut[:len(cut)-2]), enrollment.ReasonSetupInvalid},
	} {
		_, err := k.Guard.Resume(ctx, "alice", c.token)
		proving.Want(t, err, c.want)
		_, err = k.Guard.Confirm(ctx, "alice", c.token, k.Code(firstApp))
		if d := proving.Want(t, err, c.want); d.Error() == "" {
			t.Errorf("%s: no words", name)
		}
	}
	k.Pass(15 * time.Minute)
	_, err := k.Guard.Resume(ctx, "alice", second.Token)
	proving.Want(t, err, enrollment.ReasonSetupExpired)
	_, err = k.Guard.Confirm(ctx, "alice", second.Token, k.Code(app))
	proving.Want(t, err, enrollment.ReasonSetupExpired)
	proving.Want(t, k.Guard.Cancel(ctx, "alice"), enrollment.ReasonNoSetup)
	status, err := k.Guard.Status(ctx, "alice")
	if err != nil || status.State != store.None || !status.SetupExpires.IsZero() {
		t.Errorf("after the setup has expired: %v, %v", status.State, err)
	}
}

func TestConfirmTellsTheClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-10 * time.Minute, -4 * time.Minute, -time.Minute, time.Minute, 9*time.Minute + 30*time.Second} {
		k := proving.New(t)
		setup, app := k.Begin("alice", enrollment.BeginOptions{})
		_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, proving.Shown(app, k.Now().Add(off)))
		if d := proving.Want(t, err, enrollment.ReasonClockSkew); d.Skew != off {
			t.Errorf("the phone is said to be %v ahead, it is %v", d.Skew, off)
		}
		if status, _ := k.Guard.Status(t.Context(), "alice"); status.Enabled() {
			t.Fatal("confirmed all the same")
		}
	}
	k := proving.New(t)
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, proving.WrongCode(k.Now(), app))
	proving.Want(t, err, enrollment.ReasonWrongCode)
	if _, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, proving.Shown(app, k.Now().Add(-30*time.Second))); err != nil {
		t.Errorf("a step behind: %v", err)
	}
}

// What proves the second factor is not looked at before there is one: it does not
// authorise the first setup, and with Config.UnprovenSetup it does no harm.
func TestProofThatIsNotLookedAt(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	open := k.Node(func(c *enrollment.Config) { c.UnprovenSetup = true })
	for _, p := range []enrollment.Proof{enrollment.ByCode("hello"), enrollment.ByReceipt(enrollment.ReceiptOf("hello"))} {
		o := enrollment.BeginOptions{Account: "a", Proof: p}
		_, err := k.Guard.Begin(t.Context(), "bob", o)
		proving.Want(t, err, enrollment.ReasonProofNotAllowed)
		_, err = open.Begin(t.Context(), "bob", o)
		k.Must(err)
	}
}

// Denied.Factor is "what the code was taken for, where the answer is about a
// code".
func TestFactorOfConfirm(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	setup, app := k.Begin("bob", enrollment.BeginOptions{})
	_, err := k.Guard.Confirm(t.Context(), "bob", setup.Token, proving.WrongCode(k.Now(), app))
	if d := proving.Want(t, err, enrollment.ReasonWrongCode); d.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v, want the factor %q", d, enrollment.FactorTOTP)
	}
}

// Guessing at a setup has a count of its own: it can't lock the account, and
// it is not for free either.
func TestConfirmIsThrottledApart(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	setup, app := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByCode(alice.Code())})
	k.Pass(30 * time.Second)
	confirm := func(code string) error {
		_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, code)
		return err
	}
	for range 5 {
		proving.Want(t, confirm(proving.WrongCode(k.Now(), app)), enrollment.ReasonWrongCode)
	}
	d := proving.Want(t, confirm(k.Code(app)), enrollment.ReasonLocked)
	if _, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Code()); err != nil {
		t.Errorf("the account is locked by its setup: %v", err)
	}
	k.Pass(d.RetryAt.Sub(k.Now()))
	if err := confirm(k.Code(app)); err != nil {
		t.Error(err)
	}
}

func TestThreeAuthenticators(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ctx := t.Context()
	alice := k.Enroll("alice")
	apps := []totp.Key{alice.Key}
	for _, name := range []string{"work phone", "tablet"} {
		setup, app := k.Begin("alice", enrollment.BeginOptions{Name: name, Proof: enrollment.ByCode(alice.Code())})
		done, err := k.Guard.Confirm(ctx, "alice", setup.Token, k.Code(app))
		if err != nil || done.Codes.Len() != 0 || done.Success.CodesLeft != 10 || done.Event != enrollment.EventAuthenticatorAdded {
			t.Fatalf("%s: %q, %d new codes, %d left, %v", name, done.Event, done.Codes.Len(), done.Success.CodesLeft, err)
		}
		apps = append(apps, app)
		k.Pass(time.Minute)
	}
	_, err := k.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(alice.Code())})
	proving.Want(t, err, enrollment.ReasonTooManyAuthenticators)
	status, err := k.Guard.Status(ctx, "alice")
	if err != nil || len(status.Authenticators) != 3 || status.Authenticators[0].Name != "Authenticator" || status.Authenticators[2].Name != "tablet" {
		t.Fatalf("%+v, %v", status.Authenticators, err)
	}
	for i, app := range apps {
		ok, err := k.Guard.Verify(ctx, "alice", "x", k.Code(app))
		if err != nil || ok.Authenticator != status.Authenticators[i].ID {
			t.Errorf("app %d: answered by %q, %v", i, ok.Authenticator, err)
		}
	}
	// Replacing one of three keeps three, and the name.
	k.Pass(time.Minute)
	setup, fresh := k.Begin("alice", enrollment.BeginOptions{Replace: status.Authenticators[1].ID, Proof: enrollment.ByCode(alice.Code())})
	if done, err := k.Guard.Confirm(ctx, "alice", setup.Token, k.Code(fresh)); err != nil || done.Event != enrollment.EventAuthenticatorReplaced {
		t.Fatal(done.Event, err)
	}
	k.Pass(time.Minute)
	_, err = k.Guard.Verify(ctx, "alice", "x", k.Code(apps[1]))
	proving.Want(t, err, enrollment.ReasonWrongCode)
	status, _ = k.Guard.Status(ctx, "alice")
	if len(status.Authenticators) != 3 || status.Authenticators[2].Name != "work phone" {
		t.Errorf("%+v", status.Authenticators)
	}
	for range 2 {
		if err := k.Guard.Remove(ctx, "alice", status.Authenticators[1].ID, enrollment.ByCode(alice.Code())); err != nil {
			t.Fatal(err)
		}
		k.Pass(time.Minute)
		status, _ = k.Guard.Status(ctx, "alice")
	}
	err = k.Guard.Remove(ctx, "alice", status.Authenticators[0].ID, enrollment.ByCode(alice.Code()))
	proving.Want(t, err, enrollment.ReasonLastAuthenticator)
	err = k.Guard.Remove(ctx, "alice", "0123456789abcdef", enrollment.ByCode(alice.Code()))
	proving.Want(t, err, enrollment.ReasonUnknownAuthenticator)
	if _, err := k.Guard.Verify(ctx, "alice", "x", alice.Code()); err != nil {
		t.Errorf("what was refused used the code up: %v", err)
	}
}

// A broken source of randomness ends in an error and changes nothing.
func TestBrokenRandomness(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	for name, source := range map[string]io.Reader{
		"fails":      iotest.ErrReader(broken),
		"ends early": bytes.NewReader(make([]byte, 40)),
	} {
		k := proving.New(t)
		alice := k.Enroll("alice")
		setup, app := k.Begin("bob", enrollment.BeginOptions{})
		login, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before, err := k.Store.Load(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		k.Keys.Random = source
		_, begin := k.Guard.Begin(t.Context(), "carol", enrollment.BeginOptions{Account: "c", Proof: enrollment.ByReauth("password")})
		_, confirm := k.Guard.Confirm(t.Context(), "bob", setup.Token, k.Code(app))
		_, answer := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, login.Challenge, alice.Code())
		_, wrong := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, login.Challenge, alice.Wrong())
		_, signIn := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		for i, err := range []error{begin, confirm, answer, wrong, signIn} {
			if err == nil || errors.As(err, new(*enrollment.Denied)) {
				t.Errorf("%s, call %d: %v", name, i, err)
			}
		}
		after, err := k.Store.Load(t.Context(), "alice")
		if err != nil || after.Version != before.Version {
			t.Errorf("%s: the account was written, %v", name, err)
		}
	}
}

// A pending setup goes with the change that was made to keep its beginner
// out.
func TestStagedSetupEndsWithTheEpoch(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, change := range map[string]func(k *proving.Kit, alice *proving.Person) error{
		"recovery": func(k *proving.Kit, alice *proving.Person) error {
			_, err := k.Guard.Verify(ctx, "alice", "x", alice.Codes[0])
			return err
		},
		"renew_codes": func(k *proving.Kit, alice *proving.Person) error {
			_, err := k.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(alice.Code()))
			return err
		},
		"disable and enable": func(k *proving.Kit, alice *proving.Person) error {
			err := k.Guard.Disable(ctx, "alice", enrollment.ByCode(alice.Code()))
			k.Enroll("alice")
			return err
		},
	} {
		k := proving.New(t)
		alice := k.Enroll("alice")
		setup, app := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByCode(alice.Code())})
		k.Pass(time.Minute)
		if err := change(k, alice); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, err := k.Guard.Confirm(ctx, "alice", setup.Token, k.Code(app))
		proving.Want(t, err, enrollment.ReasonNoSetup)
	}
}

// Case 66: a second authenticator with the label of the first took its place in
// the app, and the user had lost the first.
func TestCase66_LabelsDiffer(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]string{
		"alice@example.com":                    "alice@example.com (%d)",
		strings.Repeat("a", totp.MaxAccount):   strings.Repeat("a", totp.MaxAccount-4) + " (%d)",
		strings.Repeat("é", totp.MaxAccount/2): strings.Repeat("é", (totp.MaxAccount-4)/2) + " (%d)",
		strings.Repeat("a", totp.MaxAccount-4): strings.Repeat("a", totp.MaxAccount-4) + " (%d)",
		"b" + strings.Repeat("𝄞", 63):          "b" + strings.Repeat("𝄞", 62) + " (%d)",
	} {
		k := proving.New(t)
		ctx, g := t.Context(), k.Guard
		proof := enrollment.ByReauth("password")
		var apps []*enrollmenttest.App // by the order of the account's authenticators
		begin := func(replace string) (enrollment.Setup, *enrollmenttest.App) {
			t.Helper()
			setup, err := g.Begin(ctx, "alice", enrollment.BeginOptions{Account: account, Replace: replace, Proof: proof})
			if err != nil {
				t.Fatal(err)
			}
			app, err := enrollmenttest.Scan(setup.URI())
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range apps {
				if other.Account() == app.Account() {
					t.Errorf("two authenticators are called %q", app.Account())
				}
			}
			again, err := g.Resume(ctx, "alice", setup.Token)
			if err != nil || again.URI() != setup.URI() {
				t.Errorf("Resume shows another label, %v", err)
			}
			return setup, app
		}
		add := func(replace string) {
			t.Helper()
			setup, app := begin(replace)
			done, err := g.Confirm(ctx, "alice", setup.Token, app.Code(k.Now()))
			if err != nil {
				t.Fatal(err)
			}
			apps, proof = append(apps, app), enrollment.ByReceipt(done.Success.Receipt)
		}
		ids := func() (ids []string) {
			t.Helper()
			status, err := g.Status(ctx, "alice")
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range status.Authenticators {
				ids = append(ids, a.ID)
			}
			return ids
		}
		add("")
		add("")
		// One that was given up and one that is begun in its place have the same.
		given, _ := begin("")
		if next, _ := begin(""); given.URI()[:strings.Index(given.URI(), "?")] != next.URI()[:strings.Index(next.URI(), "?")] {
			t.Errorf("what is begun again has another label: %q", next.URI())
		}
		add("")
		for i, app := range apps {
			name := account
			if i > 0 {
				name = fmt.Sprintf(want, i+1)
			}
			if app.Account() != name {
				t.Errorf("number %d is called %q, want %q", i+1, app.Account(), name)
			}
		}
		// The new phone differs from the old one, which still works.
		add(ids()[1])
		if last := apps[3]; last.Account() != fmt.Sprintf(want, 4) {
			t.Errorf("what replaces number 2 is called %q", last.Account())
		}
		// What is gone leaves its number behind.
		apps = append(apps[2:], apps[0])
		if add(ids()[2]); apps[3].Account() != fmt.Sprintf(want, 2) {
			t.Errorf("what replaces number 4 is called %q", apps[3].Account())
		}
	}
}

// Case 74: html/template put #ZgotmplZ in the place of the link.
func TestCase74_LinkInTemplate(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: `alice&secret="x"@example.com`, Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	page := template.Must(template.New("").Parse(`<a href="{{.}}">Open your app</a>`))
	var b strings.Builder
	if err := page.Execute(&b, template.URL(setup.URI())); err != nil {
		t.Fatal(err)
	}
	href := strings.TrimSuffix(strings.TrimPrefix(b.String(), `<a href="`), `">Open your app</a>`)
	if html.UnescapeString(href) != setup.URI() {
		t.Errorf("the link is %q, want %q", href, setup.URI())
	}
	// The reason for the type.
	b.Reset()
	if err := page.Execute(&b, setup.URI()); err != nil || !strings.Contains(b.String(), "#ZgotmplZ") {
		t.Errorf("as a string it is %q, %v", b.String(), err)
	}
}

// Case 75: apps refuse a pasted key that has spaces in it.
func TestCase75_PastedKey(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	plain, grouped := setup.Secret().Base32(), setup.Secret().Grouped()
	if !regexp.MustCompile(`^[A-Z2-7]{32,}$`).MatchString(plain) {
		t.Errorf("the plain form is %q", plain)
	}
	if !regexp.MustCompile(`^([A-Z2-7]{4} )+[A-Z2-7]{1,4}$`).MatchString(grouped) || strings.ReplaceAll(grouped, " ", "") != plain {
		t.Errorf("the grouped form of %q is %q", plain, grouped)
	}
}
