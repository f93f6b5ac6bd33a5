package integration_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// run starts a program that reads input from its standard input, and returns
// what it prints. A program that is not installed is testenv.Missing.
func run(t *testing.T, input string, program string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		testenv.Missing(t, program)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	cmd.Env = append(os.Environ(), "QT_QPA_PLATFORM=offscreen", "HOME="+t.TempDir())
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

// oathtool computes a code as a command-line authenticator does.
func oathtool(t *testing.T, setup enrollment.Setup, at time.Time) string {
	t.Helper()
	p := setup.Params()
	out := run(t, setup.Secret().Base32(), "oathtool",
		"--base32", "--totp="+strings.ToLower(p.Algorithm.String()),
		"--digits", fmt.Sprint(p.Digits), "--time-step-size", fmt.Sprint(int(p.Period.Seconds()), "s"),
		"--now", at.UTC().Format("2006-01-02 15:04:05 UTC"), "-")
	return strings.TrimSpace(out)
}

// TestOathtool enrols with codes of oathtool and signs in with them.
func TestOathtool(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]totp.Params{
		"default": {},
		"SHA-256": {Algorithm: totp.SHA256, Digits: 8, Period: time.Minute},
		"SHA-512": {Algorithm: totp.SHA512, Digits: 7, Period: 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.Params = params })
			signsIn(t, kit, func(setup enrollment.Setup) string { return oathtool(t, setup, kit.Clock.Now()) })
		})
	}
}

// signsIn takes an account from nothing to signed in, with an authenticator
// that is not ours.
func signsIn(t *testing.T, kit *enrollmenttest.Kit, code func(enrollment.Setup) string) {
	t.Helper()
	ctx := t.Context()
	setup, err := kit.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "alice@example.com", Issuer: "Ac & Më", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kit.Guard.Confirm(ctx, "alice", setup.Token, code(setup)); err != nil {
		t.Fatalf("the code is refused at Confirm: %v", err)
	}
	kit.Clock.Advance(setup.Params().Period)
	d, err := kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ok, err := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, code(setup))
	if err != nil || ok.UserID != "alice" {
		t.Fatalf("the next code is refused at sign-in: %v", err)
	}
}

// TestKeePassXC hands the otpauth URI to KeePassXC, as its users do, and signs
// in with the code that it shows. KeePassXC reads the clock of the machine.
func TestKeePassXC(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.Now = time.Now })
	const password = "a password for the test"
	database := filepath.Join(t.TempDir(), "test.kdbx")
	code := func(setup enrollment.Setup) string {
		if _, err := os.Stat(database); err != nil {
			var uri strings.Builder
			if err := xml.EscapeText(&uri, []byte(setup.URI())); err != nil {
				t.Fatal(err)
			}
			export := filepath.Join(t.TempDir(), "test.xml")
			if err := os.WriteFile(export, []byte(`<?xml version="1.0" encoding="utf-8"?>
<KeePassFile><Meta><DatabaseName>test</DatabaseName></Meta><Root><Group>
<UUID>AAAAAAAAAAAAAAAAAAAAAA==</UUID><Name>Root</Name>
<Entry><UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID>
<String><Key>Title</Key><Value>acme</Value></String>
<String><Key>otp</Key><Value>`+uri.String()+`</Value></String>
</Entry></Group></Root></KeePassFile>`), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, password+"\n"+password+"\n", "keepassxc-cli", "import", "-p", export, database)
		}
		return strings.TrimSpace(run(t, password+"\n", "keepassxc-cli", "show", "-q", "-t", database, "acme"))
	}
	ctx := t.Context()
	setup, err := kit.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "alice@example.com", Issuer: "Acme & Söhne", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	code(setup) // imports it, which takes long
	before := oathtool(t, setup, time.Now())
	first := code(setup)
	if after := oathtool(t, setup, time.Now()); first != before && first != after {
		t.Errorf("KeePassXC shows %s, oathtool %s or, a little later, %s", first, before, after)
	}
	if _, err := kit.Guard.Confirm(ctx, "alice", setup.Token, first); err != nil {
		t.Fatalf("the code of KeePassXC is refused at Confirm: %v", err)
	}
	d, err := kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Not to wait for the next step, the phone's clock runs one ahead: the
	// code of the step that follows is asked of oathtool, which shows the same
	// ones.
	if _, err := kit.Guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, oathtool(t, setup, time.Now().Add(30*time.Second))); err != nil {
		t.Fatalf("the next code is refused at sign-in: %v", err)
	}
}

// TestZBar reads the QR code with a scanner, in every form we draw it: as PNG,
// as SVG and on terminals of both kinds.
func TestZBar(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	for name, o := range map[string]enrollment.BeginOptions{
		"short": {Account: "a"},
		"usual": {Account: "alice@example.com", Issuer: "Acme"},
		"odd":   {Account: "älice+2fa%20&secret=x@example.com", Issuer: "Brand & Söhne 日本 👍"},
		"long":  {Account: strings.Repeat("a", totp.MaxAccount), Issuer: strings.Repeat("i", totp.MaxIssuer)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Proof = enrollment.ByReauth("password")
			setup, err := kit.Guard.Begin(t.Context(), "user-"+name, o)
			if err != nil {
				t.Fatal(err)
			}
			code, err := setup.QR()
			if err != nil {
				t.Fatal(err)
			}
			pictures := map[string][]byte{}
			for _, size := range []int{0, 200, 1000} {
				if pictures[fmt.Sprint("PNG of ", size)], err = code.PNG(size); err != nil {
					t.Fatal(err)
				}
			}
			pictures["SVG"] = rasterise(t, code.SVG("Scan & confirm"))
			pictures["dark terminal"] = photograph(t, code.Terminal(qr.Dark), color.Black, color.White)
			pictures["light terminal"] = photograph(t, code.Terminal(qr.Light), color.White, color.Black)
			for how, picture := range pictures {
				t.Run(how, func(t *testing.T) {
					if got := scan(t, picture); got != setup.URI() {
						t.Errorf("it reads as %d bytes, want the URI of %d", len(got), len(setup.URI()))
					}
				})
			}
			app, err := enrollmenttest.Scan(scan(t, pictures["SVG"]))
			if err != nil || app.Account() != o.Account {
				t.Errorf("the app shows %q, %v", app.Account(), err)
			}
		})
	}
}

// scan returns the text of the one QR code in a PNG.
func scan(t *testing.T, picture []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "qr.png")
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(run(t, "", "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path), "\n")
}

// rasterise draws an SVG with librsvg.
func rasterise(t *testing.T, svg string) []byte {
	t.Helper()
	return []byte(run(t, svg, "rsvg-convert", "--width", "600", "--format", "png", "/dev/stdin"))
}

// photograph draws what a terminal shows of half blocks, as a camera sees it.
func photograph(t *testing.T, text string, background, foreground color.Color) []byte {
	t.Helper()
	const cell = 6 // pixels of half a character
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	width := 0
	for _, line := range lines {
		width = max(width, len([]rune(line)))
	}
	margin := 4 * cell // the rest of the terminal
	img := image.NewRGBA(image.Rect(0, 0, width*cell+2*margin, 2*len(lines)*cell+2*margin))
	fill := func(r image.Rectangle, c color.Color) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				img.Set(x, y, c)
			}
		}
	}
	fill(img.Bounds(), background)
	for y, line := range lines {
		for x, r := range []rune(line) {
			upper, lower := false, false
			switch r {
			case ' ':
			case '█':
				upper, lower = true, true
			case '▀':
				upper = true
			case '▄':
				lower = true
			default:
				t.Fatalf("the terminal is sent %q", r)
			}
			at := image.Rect(0, 0, cell, cell).Add(image.Pt(margin+x*cell, margin+2*y*cell))
			if upper {
				fill(at, foreground)
			}
			if lower {
				fill(at.Add(image.Pt(0, cell)), foreground)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestURIIsAsAppsReadIt holds the URI against the parts that apps look at,
// parsed by net/url alone.
func TestURIIsAsAppsReadIt(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	setup, err := kit.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice@example.com", Issuer: "Acme Inc", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Acme Inc:alice@example.com" || q.Get("issuer") != "Acme Inc" ||
		!regexp.MustCompile(`^[A-Z2-7]{32}$`).MatchString(q.Get("secret")) || strings.Contains(setup.URI(), "+") {
		t.Errorf("host %q, path %q, %d parameters", u.Host, u.Path, len(q))
	}
}
