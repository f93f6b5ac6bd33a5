package fips_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
)

// allowed reports whether the runtime lets HMAC-SHA-1 be computed.
func allowed() (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	mac := hmac.New(sha1.New, []byte("12345678901234567890"))
	_, err := mac.Write(nil)
	mac.Sum(nil)
	return err == nil
}

// What Enforced says is what the runtime does.
func TestEnforced(t *testing.T) {
	t.Parallel()
	if got, want := fips.Enforced(), !allowed(); got != want {
		t.Errorf("Enforced = %v, want %v", got, want)
	}
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cipher.NewGCM(block); fips.Enforced() != (err != nil) {
		t.Errorf("Enforced = %v, and GCM with any nonce: %v", fips.Enforced(), err)
	}
}

// The exception ends with f, also when f panics.
func TestWithoutEnforcement(t *testing.T) {
	t.Parallel()
	before := allowed()
	want := before || fips.Exempts
	ran := 0
	fips.WithoutEnforcement(func() {
		ran++
		if allowed() != want || fips.Enforced() == want {
			t.Errorf("inside: allowed %v, Enforced %v, want allowed %v", allowed(), fips.Enforced(), want)
		}
	})
	func() {
		defer func() { recover() }()
		fips.WithoutEnforcement(func() { ran++; panic("f") })
	}()
	if ran != 2 {
		t.Errorf("f ran %d times, want 2", ran)
	}
	if allowed() != before {
		t.Errorf("afterwards: allowed %v, want %v", allowed(), before)
	}
}

// The setting is one of the process.
func TestUnderEnforcement(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("this is the run under enforcement")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^(TestEnforced|TestWithoutEnforcement)$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), "=== RUN") {
		t.Skipf("this platform has no FIPS 140-3 mode: %s", out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
