package cases

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Cases about recovery codes, what is stored of them, and what they cost.

// TestCase18_RecoveryCodeTwice: a recovery code was never used up
// (CVE-2025-67507).
func TestCase18_RecoveryCodeTwice(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	proving.Want(t, signIn(u, u.Codes[4]), "")
	if s := k.Status("alice"); s.CodesLeft != 9 || s.CodesTotal != 10 {
		t.Errorf("%d of %d codes left, want 9 of 10", s.CodesLeft, s.CodesTotal)
	}
	proving.Want(t, signIn(u, u.Codes[4]), enrollment.ReasonReplayed)
	proving.Want(t, signIn(u, strings.ToLower(strings.ReplaceAll(u.Codes[4], "-", " "))), enrollment.ReasonReplayed)
	proving.Want(t, signInOn(k.Node(), u, u.Codes[4]), enrollment.ReasonReplayed)
	if s := k.Status("alice"); s.CodesLeft != 9 {
		t.Errorf("%d codes left, want 9", s.CodesLeft)
	}
	proving.Want(t, signIn(u, strings.ToLower(u.Codes[5])), "")
}

// TestCase19_RecoveryRace: one recovery code opened many sessions
// (GHSA-2299-ghjr-6vjp).
func TestCase19_RecoveryRace(t *testing.T, open proving.Open) {
	for _, scheme := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
		const n = 30
		k := proving.Over(t, open(t), func(c *enrollment.Config) {
			c.RecoveryScheme = scheme
			c.RecoveryCodes = recovery.MinCount
		})
		u := k.Enroll("alice")
		challenges := make([]enrollment.Challenge, n)
		for i := range challenges {
			challenges[i] = u.Challenge()
		}
		k.Store.Gather(n)
		got := proving.Together(n, func(i int) error {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenges[i], u.Codes[0])
			return err
		})
		// A success voids the challenges that were open, so that most others
		// are not even evaluated.
		if got[""] != 1 || got[proving.Fault] != 0 {
			t.Errorf("%v: outcomes %v, want 1 accepted", scheme, got)
		}
		if s := k.Status("alice"); s.CodesLeft != recovery.MinCount-1 {
			t.Errorf("%v: %d codes left", scheme, s.CodesLeft)
		}
	}
}

// TestCase21_NothingInClear: codes were short, and stored in clear
// (librefang#3591).
func TestCase21_NothingInClear(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	stored := k.Record("alice").Data
	canaries := [][]byte{u.Key.Secret().Reveal(), []byte(u.Key.Secret().Base32()), []byte("alice"), []byte("Acme")}
	for _, c := range u.Codes {
		plain := strings.ReplaceAll(c, "-", "")
		canaries = append(canaries, []byte(c), []byte(plain), []byte(plain[:8]))
	}
	for _, c := range canaries {
		if bytes.Contains(stored, c) {
			t.Errorf("the store holds %q", c)
		}
	}
	seen := make(map[string]bool)
	for _, c := range u.Codes {
		if n := len(strings.ReplaceAll(c, "-", "")); n*5 < 80 || seen[c] {
			t.Errorf("a code of %d symbols, seen before: %v", n, seen[c])
		}
		seen[c] = true
	}
}

// TestCase37_UnboundedInput: a megabyte of text kept a processor busy.
func TestCase37_UnboundedInput(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	u := k.Enroll("alice")
	challenge := u.Challenge()
	derived := derivations(func() {
		k.Unchanged("alice", func() {
			for _, typed := range []string{
				"", strings.Repeat("1", 1<<20), strings.Repeat("A", 1<<20), u.Codes[0] + strings.Repeat(" ", 1<<20), strings.Repeat("\u00a0", 65),
				"12345", "123456789", "hello", "ABCD-EFGH-JKMN-PQRU", "\xff\xfe", "12345\x00",
			} {
				_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, typed)
				proving.Want(t, err, enrollment.ReasonMalformedCode)
			}
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(strings.Repeat("A", 1<<20)), u.Code())
			proving.Want(t, err, enrollment.ReasonChallengeInvalid)
		})
	})
	if derived > 0.5 {
		t.Errorf("malformed codes cost %.1f derivations", derived)
	}
	proving.Want(t, signIn(u, u.Codes[0]), "")
}

// derivations estimates how many Argon2id derivations f made: each allocates
// its 19 MiB anew, and nothing else here comes near.
func derivations(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / (19 << 20)
}

// tampered are keys with which what was opened of an account is changed: by an
// attacker who has them, or by damage that the seal did not catch.
func tampered(k *proving.Kit, change func(plaintext []byte) []byte) *proving.Keys {
	return &proving.Keys{Ring: k.Keys.Ring, Opened: func(scope, plaintext []byte) []byte {
		if !bytes.Contains(scope, []byte("record")) {
			return plaintext
		}
		return change(plaintext)
	}}
}

// TestCase38_HostileParameters: a record named four gigabytes for deriving a
// code.
func TestCase38_HostileParameters(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	u := k.Enroll("alice")
	challenge := u.Challenge()
	memory := func(kib uint32) []byte { return binary.BigEndian.AppendUint32([]byte{1, 0}, kib) }
	bad := tampered(k, func(b []byte) []byte {
		if !bytes.Contains(b, memory(19<<10)) {
			t.Error("the cost of a derivation is not where it was")
		}
		return bytes.Replace(b, memory(19<<10), memory(4<<20), 1)
	})
	g := k.NodeOver(k.Store, bad)
	derived := derivations(func() {
		_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
		if !errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
	})
	if derived > 0.5 {
		t.Errorf("refusing it cost as much as %.1f derivations", derived)
	}
}

// TestCase50_DerivationGate: guesses on one account kept every processor busy.
func TestCase50_DerivationGate(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	victim, other, stranger := k.Enroll("victim"), k.Enroll("other"), k.Enroll("stranger")
	challenge, served := victim.Challenge(), other.Challenge()
	var got map[enrollment.Reason]int
	derived := derivations(func() {
		var all sync.WaitGroup
		started := make(chan struct{}, 300)
		all.Go(func() {
			got = proving.Together(300, func(int) error {
				started <- struct{}{}
				_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, stranger.Codes[0])
				return err
			})
		})
		for range 100 {
			<-started
		}
		if _, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, served, other.Codes[0]); err != nil {
			t.Errorf("another account was not served: %v", err)
		}
		all.Wait()
	})
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 295 {
		t.Errorf("outcomes %v, want 5 wrong and 295 locked", got)
	}
	if derived > 8 {
		t.Errorf("%.1f derivations for 5 guesses and another account", derived)
	}
}

// TestCase50_GenerationGate: the same for making codes. Many confirmations of
// one setup make one set.
func TestCase50_GenerationGate(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	u, token := begin(k, "alice", enrollment.Proof{}, "")
	c := u.Code()
	var got map[enrollment.Reason]int
	derived := derivations(func() {
		got = proving.Together(40, func(int) error {
			_, err := k.Guard.Confirm(t.Context(), "alice", token, c)
			return err
		})
	})
	if got[""] != 1 || got[enrollment.ReasonAlreadyConfirmed] != 39 {
		t.Errorf("outcomes %v, want 1 confirmed and 39 too late", got)
	}
	if derived > recovery.MinCount+2 {
		t.Errorf("%.1f derivations for one set of %d codes", derived, recovery.MinCount)
	}
}

// TestCase50_GenerationIsPaidFor: and giving up before they are made does not
// make it free.
func TestCase50_GenerationIsPaidFor(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	u := k.Enroll("alice") // this is the first set
	renew := func(hangUp proving.Op) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		k.Pass(time.Minute)
		k.Store.Before(hangUp, func(context.Context, *proving.Call) { cancel() })
		defer k.Store.Straighten()
		_, err := k.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(u.Code()))
		return err
	}
	for range 10 { // before it is paid for, nothing was done and nothing is counted
		if err := renew(proving.Load); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want that the caller has hung up", err)
		}
	}
	for range 4 {
		proving.Want(t, renew(proving.Save), "") // while the set is counted
	}
	proving.Want(t, renew(proving.Save), enrollment.ReasonTooManyCodeSets)
	k.Pass(24 * time.Hour)
	proving.Want(t, renew(proving.Save), "")
}
