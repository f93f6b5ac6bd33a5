package enrollment_test

import (
	"bytes"
	"errors"
	"iter"
	"maps"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// newer makes the user's account look as a later version would write it, with a field
// that must be understood.
func newer(k *proving.Kit, user string) {
	k.Keys.Opened = func(scope, plaintext []byte) []byte {
		if bytes.Contains(scope, []byte("twofactor record v1")) && bytes.Contains(scope, []byte(user)) {
			return append(bytes.Clone(plaintext), 255, 0, 1, 7)
		}
		return plaintext
	}
}

// Nothing is wrong with an account that a later version has written, during a rollout: no
// operation changes it, and none of those erases it that erase what is damaged.
func TestNewerIsNotCorrupt(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	newer(k, "alice")
	admin, d := k.Guard.Admin("root", "rollout"), k.Directory()
	k.Unchanged("alice", func() {
		for name, call := range map[string]func() error{
			"SignIn": func() error {
				d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
				if d.Next != enrollment.Refuse {
					t.Errorf("SignIn decides %v", d.Next)
				}
				return err
			},
			"Status":      func() error { _, err := k.Guard.Status(t.Context(), "alice"); return err },
			"Erase":       func() error { return admin.Erase(t.Context(), "alice") },
			"Admin.Reset": func() error { _, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{}); return err },
			"EraseUnreadable": func() error {
				erased, err := admin.EraseUnreadable(t.Context(), "alice")
				if erased {
					t.Error("EraseUnreadable has erased it")
				}
				return err
			},
			"Inspect": func() error { return inspected(t, d) },
			"Sweep": func() error {
				done, err := d.Sweep(t.Context())
				if err != nil || done.Failed.Total != 1 {
					t.Fatalf("%+v, %v", done, err)
				}
				return done.Failed.First[0].Err
			},
			"RehearseImport": func() (about error) {
				users := maps.All(map[string]enrollment.Import{"alice": {
					Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.TheirKey(t, "alice", totp.Params{})}},
				}})
				count, err := admin.RehearseImport(t.Context(), users, func(f enrollment.ImportFinding) { about = f.Err })
				if err != nil || count.Faulty != 1 {
					t.Errorf("%+v, %v", count, err)
				}
				return about
			},
		} {
			if err := call(); !errors.Is(err, enrollment.ErrNewer) || errors.Is(err, enrollment.ErrCorrupt) {
				t.Errorf("%s: %v, want ErrNewer", name, err)
			}
		}
	})
	if err := d.CheckKeys(t.Context()); err != nil {
		t.Errorf("the keys fit: %v", err)
	}
}

func inspected(t *testing.T, d *enrollment.Directory) error {
	t.Helper()
	next, stop := iter.Pull2(d.Inspect(t.Context()))
	defer stop()
	x, err, _ := next()
	if err != nil {
		t.Fatal(err)
	}
	return x.Err
}
