package cases

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// TestCase19_ImportedRace: one code, thirty callers.
func TestCase19_ImportedRace(t *testing.T, open proving.Open) {
	for name, hashes := range map[string]func(*testing.T) [][]byte{
		"SHA-256": func(*testing.T) [][]byte { return proving.Summed("first code", "second") },
		"bcrypt":  func(t *testing.T) [][]byte { return proving.Bcrypted(t, 4, "first code", "second") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.Over(t, open(t))
			k.TakeOver("alice", hashes(t)...)
			k.Store.Gather(30)
			got := proving.Together(30, func(int) error {
				_, err := k.Guard.Verify(t.Context(), "alice", "x", "first code")
				return err
			})
			// What comes after the fifth used one waits.
			if got[""] != 1 || got[enrollment.ReasonReplayed] != 5 || got[enrollment.ReasonLocked] != 24 {
				t.Errorf("outcomes %v", got)
			}
			if left := k.Status("alice").CodesLeft; left != 1 {
				t.Errorf("%d codes left", left)
			}
		})
	}
}

// TestCase38_HostileBcrypt: a record asked for days of bcrypt.
func TestCase38_HostileBcrypt(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	hash := []byte("$2b$04$" + strings.Repeat("a", 53))
	k.TakeOver("alice", hash)
	k.Keys.Bcrypt = func() { t.Error("it was asked") }
	hostile := &proving.Keys{Ring: k.Keys.Ring, Bcrypt: k.Keys.Bcrypt, Opened: func(_, b []byte) []byte {
		return bytes.Replace(b, hash[:7], []byte("$2b$31$"), 1)
	}}
	g := k.NodeOver(k.Store, hostile)
	if _, err := g.Verify(t.Context(), "alice", "x", "no such code"); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// TestCase49_ImportedLostReply: the code is used, and its Success is not lost.
func TestCase49_ImportedLostReply(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.TakeOver("alice", proving.Bcrypted(t, 4, "first code")...)
	k.Store.LoseReply(proving.Save)
	if ok, err := k.Guard.Verify(t.Context(), "alice", "x", "first code"); err != nil || ok.CodesLeft != 0 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
	_, err := k.Guard.Verify(t.Context(), "alice", "x", "first code")
	proving.Want(t, err, enrollment.ReasonReplayed)
}

// TestCase50_ImportedGate: guesses on one imported account kept every processor
// busy.
func TestCase50_ImportedGate(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	var tries atomic.Int64
	k.Keys.Bcrypt = func() { tries.Add(1) }
	k.TakeOver("victim", proving.Bcrypted(t, 6, "first code", "second code", "third code", "fourth code")...)
	k.TakeOver("other", proving.Bcrypted(t, 6, "another code")...)
	var got map[enrollment.Reason]int
	var all sync.WaitGroup
	started := make(chan struct{}, 300)
	all.Go(func() {
		got = proving.Together(300, func(int) error {
			started <- struct{}{}
			_, err := k.Guard.Verify(t.Context(), "victim", "x", "no such code")
			return err
		})
	})
	for range 100 {
		<-started
	}
	if _, err := k.Guard.Verify(t.Context(), "other", "x", "another code"); err != nil {
		t.Errorf("another account was not served: %v", err)
	}
	all.Wait()
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 295 {
		t.Errorf("outcomes %v, want 5 wrong and 295 locked", got)
	}
	if n := tries.Load(); n != 5*4+1 {
		t.Errorf("%d hashes were tried for 5 guesses and another account", n)
	}
}

// TestCase50_ImportedLeavesRoom: however many imported accounts are guessed at,
// half of the slots are left for codes that take a single derivation.
func TestCase50_ImportedLeavesRoom(t *testing.T, open proving.Open) {
	slots := runtime.GOMAXPROCS(0)
	if slots < 2 {
		t.Skip("there is one slot")
	}
	hashes := proving.Bcrypted(t, 4, "first code")
	proving.InBubble(t, open, func(t *testing.T, open proving.Open) {
		k := proving.Over(t, open(t), func(c *enrollment.Config) {
			c.RecoveryScheme = recovery.Argon2id
			c.RecoveryCodes = recovery.MinCount
		})
		setup, err := k.Guard.Begin(t.Context(), "other", enrollment.BeginOptions{Account: "other", Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Fatal(err)
		}
		done, err := k.Guard.Confirm(t.Context(), "other", setup.Token, k.Code(proving.KeyOf(t, setup)))
		if err != nil {
			t.Fatal(err)
		}
		var running atomic.Int64
		release := make(chan struct{})
		k.Keys.Bcrypt = func() {
			running.Add(1)
			<-release
		}
		var all sync.WaitGroup
		for i := range slots + 1 {
			user := fmt.Sprint("victim", i)
			k.TakeOver(user, hashes...)
			all.Go(func() {
				_, err := k.Guard.Verify(t.Context(), user, "x", "no such code")
				if proving.ReasonOf(err) != enrollment.ReasonWrongCode {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // until everybody works or waits
		if _, err := k.Guard.Verify(t.Context(), "other", "x", done.Codes.Reveal()[0]); err != nil {
			t.Error(err)
		}
		if n := running.Load(); int(n) != slots/2 {
			t.Errorf("%d of %d slots are taken", n, slots)
		}
		close(release)
		all.Wait()
	})
}

// TestCase55_Export: whatever prints an export shows nothing of it.
func TestCase55_Export(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	key := k.TakeOver("alice", proving.Summed("first code")...).Key
	out, err := k.Guard.Admin("carol", "x").Export(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	raw := key.Secret().Reveal()
	canaries := []string{
		key.Secret().Base32(), string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), strings.Trim(fmt.Sprint(raw), "[]"),
	}
	type host struct {
		out  enrollment.Export
		p    *enrollment.Export
		list []enrollment.ExportedAuthenticator
	}
	h := host{out, &out, out.Reveal()}
	for _, x := range []any{out, &out, h, &h, []host{h}, map[string]host{"x": h}, out.Reveal(), enrollment.Export{}} {
		var texts []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%b", "%e", "%U"} {
			texts = append(texts, fmt.Sprintf(verb, x))
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
		texts = append(texts, b.String())
		if j, err := json.Marshal(x); err == nil {
			texts = append(texts, string(j))
		}
		for _, text := range texts {
			for i, c := range canaries {
				if strings.Contains(text, c) {
					t.Errorf("%T shows canary %d", x, i)
				}
			}
		}
	}
	if j, err := json.Marshal(out); err == nil {
		t.Errorf("it marshals silently: %s", j)
	}
	if out.String() != out.GoString() || out.LogValue().String() != out.String() || !strings.Contains(out.String(), "redacted") {
		t.Errorf("it shows as %q", out.String())
	}
	told, err := json.Marshal(k.Told())
	if err != nil {
		t.Fatal(err)
	}
	text := k.Log() + string(told)
	for i, c := range canaries {
		if strings.Contains(text, c) {
			t.Errorf("the log or an event shows canary %d", i)
		}
	}
}
