package cases

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Cases about who may change what, and about what the store may do.

// TestCase22_PendingOverwritesConfirmed: a setup that was never finished
// replaced the working secret (better-auth#10923).
func TestCase22_PendingOverwritesConfirmed(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	for _, replace := range []string{"", u.First.Authenticator} {
		k.Pass(30 * time.Second)
		next, _ := begin(k, "alice", enrollment.ByCode(u.Code()), replace)
		k.Pass(30 * time.Second)
		proving.Want(t, signIn(u, next.Code()), enrollment.ReasonWrongCode)
		proving.Want(t, signIn(u, u.Code()), "")
		k.Pass(15 * time.Minute)
		proving.Want(t, signIn(u, next.Code()), enrollment.ReasonWrongCode)
		proving.Want(t, signIn(u, u.Code()), "")
	}
}

// TestCase23_SetupWithoutProof: a session was enough to add a factor
// (KeeperHub#1523).
func TestCase23_SetupWithoutProof(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.ReauthDisables = true })
	u := k.Enroll("alice")
	k.Unchanged("alice", func() {
		for _, replace := range []string{"", u.First.Authenticator} {
			for proof, why := range map[enrollment.Reason]enrollment.Proof{
				enrollment.ReasonProofRequired:   {},
				enrollment.ReasonProofInvalid:    enrollment.ByReceipt(enrollment.ReceiptOf(u.Challenge().Reveal())),
				enrollment.ReasonProofNotAllowed: enrollment.ByReauth("password"),
			} {
				_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Replace: replace, Proof: why})
				proving.Want(t, err, proof)
			}
		}
	})
}

// TestCase24_WeakDisableAndRegenerate: disabling and new codes were to be had
// without a proof, or with one that had been used (GHSA-wqfw-rqj7-fv9m).
func TestCase24_WeakDisableAndRegenerate(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	used := u.Code()
	proving.Want(t, signIn(u, used), "")
	stale := u.First.Receipt
	k.Pass(enrollment.ReceiptTTL + time.Second)
	for proof, why := range map[enrollment.Reason]enrollment.Proof{
		enrollment.ReasonProofRequired:   {},
		enrollment.ReasonProofStale:      enrollment.ByReceipt(stale),
		enrollment.ReasonProofNotAllowed: enrollment.ByReauth("password"),
	} {
		k.Unchanged("alice", func() {
			_, err := k.Guard.RenewCodes(t.Context(), "alice", why)
			proving.Want(t, err, proof)
			proving.Want(t, k.Guard.Disable(t.Context(), "alice", why), proof)
		})
	}
	c := u.Code()
	proving.Want(t, signIn(u, c), "")
	k.Unchanged("alice", func() {
		_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(c))
		proving.Want(t, err, enrollment.ReasonReplayed)
		proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(c)), enrollment.ReasonReplayed)
	})
	// A receipt is worth nothing after the change it authorised.
	k.Pass(30 * time.Second)
	ok, err := k.Guard.Verify(t.Context(), "alice", "settings", u.Code())
	proving.Want(t, err, "")
	_, err = k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(ok.Receipt))
	proving.Want(t, err, "")
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(ok.Receipt)), enrollment.ReasonProofInvalid)
	proving.Want(t, signIn(u, u.Codes[0]), enrollment.ReasonWrongCode)
}

// TestCase25_MissingSecretFailsOpen: without a secret, the code of the empty
// key was right (odysseus#1286).
func TestCase25_MissingSecretFailsOpen(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	challenge := u.Challenge()
	raw := u.Key.Secret().Reveal()
	var ofEmptyKey string
	fips.WithoutEnforcement(func() { ofEmptyKey = emptyKeyCode(k.Now()) })
	for name, change := range map[string]func([]byte) []byte{
		"no account":    func([]byte) []byte { return nil },
		"cut":           func(b []byte) []byte { return b[:len(b)/2] },
		"secret erased": func(b []byte) []byte { return bytes.Replace(b, raw, nil, 1) },
		"zeros":         func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		g := k.NodeOver(k.Store, tampered(k, change))
		k.Unchanged("alice", func() {
			for _, typed := range []string{ofEmptyKey, "000000", u.Code(), u.Codes[0]} {
				_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenge, typed)
				if !errors.Is(err, enrollment.ErrCorrupt) {
					t.Errorf("%s: got %v, want ErrCorrupt", name, err)
				}
			}
			if d, err := g.SignIn(t.Context(), "alice", enrollment.SignInOptions{}); !errors.Is(err, enrollment.ErrCorrupt) || d.Next != enrollment.Refuse {
				t.Errorf("%s: SignIn = %v, %v; want ErrCorrupt", name, d.Next, err)
			}
		})
	}
}

// emptyKeyCode is the code that an empty secret has at a time (RFC 4226,
// section 5.3).
func emptyKeyCode(at time.Time) string {
	mac := hmac.New(sha1.New, nil)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// TestCase43_SwappedRecords: ciphertext was moved between rows.
func TestCase43_SwappedRecords(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	old := k.Record("alice")
	proving.Want(t, signIn(alice, alice.Code()), "")
	mallory := k.Enroll("mallory")
	challenge := alice.Challenge()
	now, theirs := k.Record("alice"), k.Record("mallory")
	for name, bend := range map[string]func(*store.Record){
		"another user's blob":       func(r *store.Record) { r.Data = theirs.Data },
		"an old blob":               func(r *store.Record) { r.Data = old.Data },
		"an edited version":         func(r *store.Record) { r.Version++ },
		"an edited state":           func(r *store.Record) { r.State = store.Disabled },
		"a pending state":           func(r *store.Record) { r.State = store.Pending },
		"no state":                  func(r *store.Record) { r.State = 0 },
		"another user's record":     func(r *store.Record) { *r = theirs },
		"another user's id":         func(r *store.Record) { r.UserID = "mallory" },
		"a bit flipped":             func(r *store.Record) { r.Data[len(r.Data)/2] ^= 1 },
		"cut short":                 func(r *store.Record) { r.Data = r.Data[:20] },
		"no data":                   func(r *store.Record) { r.Data = nil },
		"a key that nobody has":     func(r *store.Record) { r.Data[2] ^= 1 },
		"a version out of bounds":   func(r *store.Record) { r.Version = -1 },
		"data beyond what is valid": func(r *store.Record) { r.Data = make([]byte, store.MaxData+1) },
	} {
		k.Store.After(proving.Load, func(_ context.Context, c *proving.Call) {
			if c.Err == nil && c.Record.UserID == "alice" {
				c.Record = now
				c.Record.Data = bytes.Clone(now.Data)
				bend(&c.Record)
			}
		})
		for _, typed := range []string{alice.Code(), mallory.Code(), alice.Codes[0]} {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, typed)
			if !errors.Is(err, enrollment.ErrCorrupt) || errors.As(err, new(*enrollment.Denied)) {
				t.Errorf("%s: Answer = %v, want ErrCorrupt", name, err)
			}
		}
		if d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{}); !errors.Is(err, enrollment.ErrCorrupt) || d.Next != enrollment.Refuse {
			t.Errorf("%s: SignIn = %v, %v; want ErrCorrupt", name, d.Next, err)
		}
		if _, err := k.Guard.Status(t.Context(), "alice"); !errors.Is(err, enrollment.ErrCorrupt) {
			t.Errorf("%s: Status = %v, want ErrCorrupt", name, err)
		}
	}
	k.Store.Straighten()
	k.Pass(30 * time.Second)
	proving.Want(t, signIn(alice, alice.Code()), "")
}

// TestCase47_MergedUsers: a database took several names for one user.
func TestCase47_MergedUsers(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	names := []string{"alice", "ALICE", "alice ", "Álice", "A\u0301lice"}
	var users []*proving.Person
	for i, name := range names {
		for _, later := range names[i:] {
			if k.Status(later).Enabled() {
				t.Fatalf("%q is enrolled because of %q", later, names[i-1])
			}
		}
		users = append(users, k.Enroll(name))
	}
	for i, u := range users {
		k.Pass(30 * time.Second)
		proving.Want(t, signIn(u, u.Code()), "")
		other := users[(i+1)%len(users)]
		proving.Want(t, signIn(u, other.Codes[0]), enrollment.ReasonWrongCode)
	}
	k.Store.Before(proving.Load, func(_ context.Context, c *proving.Call) { c.User = "alice" })
	if _, err := k.Guard.Status(t.Context(), "ALICE"); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("with a store that returns another user's record: %v, want ErrCorrupt", err)
	}
}

// TestCase49_LostReply: the commit succeeded and its reply was lost, and with
// it the recovery codes.
func TestCase49_LostReply(t *testing.T, open proving.Open) {
	for name, reply := range map[string]error{
		"the reply is lost":               errors.New("connection reset by peer"),
		"the driver has tried it again":   store.ErrConflict,
		"the deadline came with the data": context.DeadlineExceeded,
	} {
		k := proving.Over(t, open(t))
		lose := func() {
			k.Store.NthAfter(proving.Save, 1, func(_ context.Context, c *proving.Call) {
				if c.Err == nil {
					c.Err = reply
				}
			})
		}
		lose()
		u, token := begin(k, "alice", enrollment.Proof{}, "")
		lose()
		done, err := k.Guard.Confirm(t.Context(), "alice", token, u.Code())
		if err != nil || done.Codes.Len() != 10 {
			t.Fatalf("%s: Confirm = %d codes, %v", name, done.Codes.Len(), err)
		}
		u.Codes = done.Codes.Reveal()
		k.Pass(30 * time.Second)
		c := u.Code()
		lose()
		proving.Want(t, signIn(u, c), "")
		proving.Want(t, signIn(u, c), enrollment.ReasonReplayed)
		lose()
		proving.Want(t, signIn(u, u.Codes[0]), "")
		proving.Want(t, signIn(u, u.Codes[0]), enrollment.ReasonReplayed)
		k.Pass(30 * time.Second)
		lose()
		renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(u.Code()))
		if err != nil || renewed.Codes.Len() != 10 {
			t.Fatalf("%s: RenewCodes = %d codes, %v", name, renewed.Codes.Len(), err)
		}
		k.Pass(time.Minute)
		proving.Want(t, signIn(u, u.Codes[1]), enrollment.ReasonWrongCode)
		proving.Want(t, signIn(u, renewed.Codes.Reveal()[1]), "")
		lose()
		proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
	}
}
