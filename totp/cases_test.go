package totp_test

// Tests that carry the number of a published defect, see CASES.md. TestCase55
// is in redact_test.go, those of 58 to 61 in corpus_test.go, that of
// 83 in secret_test.go.

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A used code stays used, however it is spelled.
func TestCase01_SpellingDefeatsReplayCheck(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	c := mustCode(t, k, now)
	last, err := k.Check(c, now, 0)
	if err != nil {
		t.Fatal(err)
	}
	shift := func(zero rune) string {
		return strings.Map(func(r rune) rune { return zero + r - '0' }, c)
	}
	spellings := map[string]string{
		"as before":      c,
		"space before":   " " + c,
		"newline after":  c + "\n",
		"CRLF after":     c + "\r\n",
		"no-break space": "\u00A0" + c,
		"groups":         c[:3] + " " + c[3:],
		"hyphen":         c[:3] + "-" + c[3:],
		"en dash":        c[:3] + "\u2013" + c[3:],
		"zero width":     c[:3] + "\u200B" + c[3:],
		"BOM":            "\uFEFF" + c,
		"full-width":     shift('０'),
		"Arabic-Indic":   shift('٠'),
		"Devanagari":     shift('०'),
		"mathematical":   shift('𝟎'),
		"mixed scripts":  shift('０')[:9] + c[3:],
		"longest":        strings.Repeat(" ", totp.MaxInput-6) + c,
	}
	for name, input := range spellings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if step, err := k.Check(input, now, 0); step != last || err != nil {
				t.Errorf("fresh: %d, %v", step, err)
			}
			for _, at := range []time.Time{now.Add(-30 * time.Second), now, now.Add(29 * time.Second), now.Add(30 * time.Second)} {
				if step, err := k.Check(input, at, last); step != 0 || err != totp.ErrReplayed {
					t.Errorf("used: %d, %v", step, err)
				}
			}
		})
	}
	for name, input := range map[string]string{"twice": c + c, "zero before": "0" + c, "zeroes before": "00" + c, "fraction": c + ".0", "sign": "+" + c, "NUL": c + "\x00"} {
		if step, err := k.Check(input, now, 0); step != 0 || err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Nobody draws a picture or fetches a logo over the network here: the package
// can't reach one.
func TestCase33_NoNetwork(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"bytes", "crypto/hmac", "crypto/rand", "crypto/sha1", "crypto/sha256", "crypto/sha512", "crypto/subtle",
		"encoding/base32", "encoding/binary", "encoding/hex", "errors", "fmt", "hash", "io", "log/slog", "math",
		"net/url", "strconv", "strings", "time", "unicode", "unicode/utf8", "github.com/pquerna/otp",
		"github.com/seed-1b6a03a1/twofactor/internal/redact", "github.com/seed-1b6a03a1/twofactor/internal/typed",
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		seen++
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no source found")
	}
}

// Parameters and clocks at random: an error, or a code that checks; never a
// panic.
func TestCase35_HostileParametersAndClocks(t *testing.T) {
	t.Parallel()
	s, err := totp.NewSecret([]byte("12345678901234567890"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(35, 35))
	digits := []int{math.MinInt, -1, 0, 1, 5, 6, 7, 8, 9, 10, 64, math.MaxInt}
	periods := []time.Duration{math.MinInt64, -time.Second, 0, 1, time.Second, 9 * time.Second, 10 * time.Second, 29 * time.Second,
		30*time.Second + 1, 120 * time.Second, 121 * time.Second, time.Hour, math.MaxInt64}
	clocks := []int64{math.MinInt64, math.MinInt64 + 62135596800, -62135596800, -1 << 31, -31, -30, -1, 0, 1, 29, 30, 59, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, math.MaxInt64}
	for range 200 {
		digits = append(digits, int(r.Uint64()))
		periods = append(periods, time.Duration(r.Uint64()))
	}
	for range 30 {
		clocks = append(clocks, int64(r.Uint64()))
	}
	made := 0
	for _, algorithm := range []totp.Algorithm{usual, totp.SHA256, totp.SHA512, 3, 255} {
		for _, d := range digits {
			for _, p := range periods {
				k, err := totp.NewKey(s, totp.Params{Algorithm: algorithm, Digits: d, Period: p})
				valid := algorithm <= totp.SHA512 && (d == 0 || d >= 6 && d <= 8) &&
					(p == 0 || p >= 10*time.Second && p <= 120*time.Second && p%time.Second == 0)
				if valid != (err == nil) || !valid && !errors.Is(err, totp.ErrParams) {
					t.Fatalf("%v, %d digits, %v: %v", algorithm, d, p, err)
				}
				if err != nil {
					continue
				}
				made++
				for _, unix := range clocks {
					at := time.Unix(unix, 0)
					current := k.Step(at)
					c, err := k.Code(at)
					if (err == nil) != (current >= 0) {
						t.Fatalf("Code at %d: %v", unix, err)
					}
					if err != nil {
						c = "123456"
					}
					step, err := k.Check(c, at, 0)
					if (err == nil) != (current > 0) || err == nil && (step < current || step > current+1) {
						t.Fatalf("Check at %d: %d, %v", unix, step, err)
					}
				}
			}
		}
	}
	if made == 0 {
		t.Fatal("no parameters were valid")
	}
}

func TestCase36_ShortSecrets(t *testing.T) {
	t.Parallel()
	s, err := totp.Generate(nil, totp.SHA1)
	if err != nil || len(s.Reveal()) != 20 {
		t.Errorf("a generated secret has %d bytes, %v", len(s.Reveal()), err)
	}
	const short, enough = "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAA" // 15 and 16 bytes
	otpKey := func(secret string) *otp.Key {
		k, err := otp.NewKeyFromURL("otpauth://totp/Acme:alice?secret=" + secret)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for name, read := range map[string]func(raw []byte, text string) error{
		"NewSecret":      func(raw []byte, _ string) error { _, err := totp.NewSecret(raw); return err },
		"ParseSecret":    func(_ []byte, text string) error { _, err := totp.ParseSecret(text); return err },
		"ParseHexSecret": func(raw []byte, _ string) error { _, err := totp.ParseHexSecret(fmt.Sprintf("%x", raw)); return err },
		"ParseURI": func(_ []byte, text string) error {
			_, _, err := totp.ParseURI("otpauth://totp/Acme:alice?secret=" + text)
			return err
		},
		"FromOTP": func(_ []byte, text string) error { _, _, err := totp.FromOTP(otpKey(text)); return err },
	} {
		if err := read(make([]byte, 15), short); !errors.Is(err, totp.ErrSecret) {
			t.Errorf("%s takes 15 bytes: %v", name, err)
		}
		if err := read(make([]byte, 16), enough); err != nil {
			t.Errorf("%s refuses 16 bytes: %v", name, err)
		}
	}
}

// Not parallel: AllocsPerRun counts what other goroutines allocate, too.
// The best of some runs counts: fmt has a pool, which the race detector empties
// now and then.
func TestCase37_UnboundedInput(t *testing.T) {
	k := plainKey(t)
	huge := strings.Repeat("1", 1<<20)
	spaces := mustCode(t, k, now) + strings.Repeat(" ", 1<<20)
	label := totp.Label{Issuer: huge, Account: huge, Image: huge}
	for name, test := range map[string]struct {
		do   func() error
		want error
	}{
		"Normalize":      {func() error { _, err := totp.Normalize(huge); return err }, totp.ErrMalformed},
		"Check":          {func() error { _, err := k.Check(huge, now, 0); return err }, totp.ErrMalformed},
		"Check, spaces":  {func() error { _, err := k.Check(spaces, now, 0); return err }, totp.ErrMalformed},
		"ClockOffset":    {func() error { _, err := k.ClockOffset(huge, now); return err }, totp.ErrMalformed},
		"ParseSecret":    {func() error { _, err := totp.ParseSecret(huge); return err }, totp.ErrSecret},
		"ParseHexSecret": {func() error { _, err := totp.ParseHexSecret(huge); return err }, totp.ErrSecret},
		"ParseURI":       {func() error { _, _, err := totp.ParseURI("otpauth://totp/a:b?secret=" + huge); return err }, totp.ErrURI},
		"Validate":       {label.Validate, totp.ErrLabel},
	} {
		if err := test.do(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		// No HMAC, no copy of the input: only the error is made.
		allocs := math.Inf(1)
		for range 10 {
			allocs = min(allocs, testing.AllocsPerRun(1, func() { _ = test.do() }))
		}
		if allocs > 5 {
			t.Errorf("%s allocates %v times", name, allocs)
		}
	}
}

// Labels round-trip exactly, with one secret, through this parser and
// pquerna's, or are refused.
func TestCase42_UnescapedLabels(t *testing.T) {
	t.Parallel()
	const injected = "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK"
	tests := []struct {
		name, text string
		refused    bool
	}{
		{"colon", "a:b", true},
		{"only a colon", ":", true},
		{"second secret", "x&secret=" + injected, false},
		{"whole query", "x?secret=" + injected + "&issuer=Evil&digits=8", false},
		{"semicolon", "x;secret=" + injected, false},
		{"fragment", "x#secret=" + injected, false},
		{"escaped ampersand", "x%26secret=" + injected, false},
		{"per cent", "100%", false},
		{"escape", "%41%00%zz%", false},
		{"escaped colon", "a%3Ab", false},
		{"plus", "a+b", false},
		{"plus at the end", "C++", false},
		{"equals", "a=b", false},
		{"slash", "a/b", false},
		{"slashes", "//a//", false},
		{"dots", "..", false},
		{"path upwards", "../../etc", false},
		{"backslash and quotes", `\"'<>`, false},
		{"markup", "<b>&amp;</b>", false},
		{"at sign", "alice@example.com", false},
		{"brackets", "[::1]", true},
		{"inner space", "a b", false},
		{"inner no-break space", "a\u00A0b", false},
		{"emoji", "🔐", false},
		{"emoji of several code points", "👩‍👩‍👧‍👦🏳️‍🌈", false},
		{"decomposed", "e\u0301", false},
		{"composed", "\u00e9", false},
		{"right to left", "שלום", false},
		{"Chinese", "漢字", false},
		{"newline", "a\nb", true},
		{"return", "a\rb", true},
		{"tab", "a\tb", true},
		{"NUL", "a\x00b", true},
		{"escape character", "a\x1bb", true},
		{"C1 control", "a\u0085b", true},
		{"line separator", "a\u2028b", true},
		{"paragraph separator", "a\u2029b", true},
		{"leading space", " a", true},
		{"trailing space", "a ", true},
		{"trailing ideographic space", "a\u3000", true},
		{"invalid UTF-8", "a\xffb", true},
		{"lone surrogate", "a\xed\xa0\x80b", true},
		{"empty", "", true},
	}
	k := plainKey(t)
	for _, test := range tests {
		for where, label := range map[string]totp.Label{
			"issuer":  {Issuer: test.text, Account: "alice"},
			"account": {Issuer: "Acme", Account: test.text},
			"both":    {Issuer: test.text, Account: test.text, Image: "https://example.com/?secret=" + injected + "&issuer=Evil"},
		} {
			t.Run(where+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				uri, err := k.URI(label)
				if test.refused {
					if !errors.Is(err, totp.ErrLabel) || uri != "" {
						t.Fatalf("URI = %q, %v", uri, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if strings.Count(uri, "secret=") != 1 || strings.Count(uri, "?") != 1 || strings.ContainsAny(uri, "+#; \"<>\\'") {
					t.Errorf("URI is %s", uri)
				}
				back, l, err := totp.ParseURI(uri)
				if err != nil || l != label || !back.Secret().Equal(k.Secret()) || back.Params() != k.Params() {
					t.Errorf("ParseURI = %+v, %v", l, err)
				}
				o, err := otp.NewKeyFromURL(uri)
				if err != nil {
					t.Fatal(err)
				}
				if o.Issuer() != label.Issuer || o.AccountName() != label.Account || o.Secret() != text20 || o.Digits() != 6 {
					t.Errorf("pquerna reads %q, %q, %q", o.Issuer(), o.AccountName(), o.Secret())
				}
			})
		}
	}
}

// No error quotes what it was given.
func TestCase56_ErrorsQuoteInput(t *testing.T) {
	t.Parallel()
	s, err := totp.NewSecret([]byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(s, totp.Params{Algorithm: usual})
	if err != nil {
		t.Fatal(err)
	}
	b32 := s.Base32()
	good := "otpauth://totp/Acme:alice?secret=" + b32
	texts := []string{
		canary, b32, s.Grouped(), fmt.Sprintf("%x", canary), strings.ToLower(b32) + "!",
		good + "\x00", good + "\n#", good + "&secret=" + b32, good + "&digits=" + canary, good + "&digits=" + b32, good + "&period=" + canary,
		good + "&algorithm=" + canary, good + "&issuer=" + canary, good + "&issuer=%" + canary, good + "&%" + canary, good + ";" + canary,
		good + "&image=" + canary, good + "&image=https://%zz" + canary, good + "&encoder=" + canary,
		strings.Replace(good, "Acme", canary+":"+canary, 1), strings.Replace(good, "Acme", "%"+canary, 1), strings.Replace(good, "alice", "alice:"+canary, 1),
		strings.Replace(good, "totp", canary, 1), strings.Replace(good, "totp", "hotp", 1), strings.Replace(good, "otpauth", canary, 1),
		"otpauth://totp/Acme:alice?secret=" + canary, "otpauth://totp/Acme:alice?secret=" + b32 + "A", "otpauth://totp/Acme:alice?secret=" + b32 + "=",
		"otpauth://totp/Acme:alice?secret=%" + canary, "otpauth://[" + canary + "/?secret=" + b32, good + strings.Repeat("A", totp.MaxURI),
	}
	count := 0
	look := func(what string, err error) {
		if err == nil {
			return
		}
		count++
		for err := err; err != nil; err = errors.Unwrap(err) {
			for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err)} {
				if spelling := leaks(text); spelling != "" {
					t.Errorf("%s: the error shows the %s: %s", what, spelling, text)
				}
			}
		}
	}
	for _, text := range texts {
		_, err := totp.ParseSecret(text)
		look("ParseSecret", err)
		_, err = totp.ParseHexSecret(text)
		look("ParseHexSecret", err)
		_, err = totp.NewSecret([]byte(text)[:min(len(text), 8)])
		look("NewSecret", err)
		_, err = totp.NewSecret([]byte(strings.Repeat(text, 9)))
		look("NewSecret", err)
		_, err = totp.ParseAlgorithm(text)
		look("ParseAlgorithm", err)
		_, err = totp.Normalize(text)
		look("Normalize", err)
		_, err = k.Check(text, now, 0)
		look("Check", err)
		_, err = k.ClockOffset(text, now)
		look("ClockOffset", err)
		_, _, err = totp.ParseURI(text)
		look("ParseURI", err)
		for _, bad := range []string{text + ":", text + "\n", text + " ", text + "\xff", text + strings.Repeat("x", 512)} {
			for _, label := range []totp.Label{{Issuer: bad, Account: "a"}, {Issuer: "a", Account: bad}, {Issuer: "a", Account: "a", Image: bad}} {
				look("Validate", label.Validate())
				_, err = k.URI(label)
				look("URI", err)
				_, err = k.OTP(label)
				look("OTP", err)
			}
		}
		if o, err := otp.NewKeyFromURL(text); err == nil {
			_, _, err = totp.FromOTP(o)
			look("FromOTP", err)
		}
	}
	_, err = k.Code(time.Unix(-1, 0))
	look("Code", err)
	_, err = k.Check(mustCode(t, k, now), now, nowStep)
	look("Check of a used code", err)
	_, err = k.Secret().MarshalText()
	look("MarshalText", err)
	if count < 400 {
		t.Errorf("only %d errors were looked at", count)
	}
}
