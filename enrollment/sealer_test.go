package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// An inPlace decrypts where the ciphertext stands, as a Sealer may.
type inPlace struct{ *keyring.Ring }

func (s inPlace) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	plaintext, err := s.Ring.Open(ctx, scope, binding, sealed)
	return sealed[:copy(sealed, plaintext)], err
}

// With such a Sealer everything is as with any other: the reply that is lost, at
// whichever write, is recognised, and so is the key that an account is under.
func TestSealerOpensInPlace(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(k *proving.Kit, g *enrollment.Guard, p *proving.Person) error{
		"Verify": func(k *proving.Kit, g *enrollment.Guard, p *proving.Person) error {
			_, err := g.Verify(t.Context(), p.ID, "x", p.Code())
			return err
		},
		"Answer": func(k *proving.Kit, g *enrollment.Guard, p *proving.Person) error {
			_, err := p.AnswerOn(g, p.Codes[0])
			return err
		},
		"RenewCodes": func(k *proving.Kit, g *enrollment.Guard, p *proving.Person) error {
			done, err := g.RenewCodes(t.Context(), p.ID, enrollment.ByCode(p.Code()))
			if err == nil {
				_, err = g.Verify(t.Context(), p.ID, "x", done.Codes.Reveal()[0])
			}
			return err
		},
		"Erase": func(k *proving.Kit, g *enrollment.Guard, p *proving.Person) error {
			return g.Admin("root", "x").Erase(t.Context(), p.ID)
		},
		"Reseal": func(k *proving.Kit, g *enrollment.Guard, p *proving.Person) error {
			ring, err := k.Keys.Rotate("later")
			if err != nil {
				return err
			}
			node := k.NodeOver(k.Store, inPlace{ring})
			done, err := k.DirectoryOf(node, k.Store).Reseal(t.Context(), enrollment.ResealOptions{})
			if err == nil && (done.Moved != 1 || done.Keys["first"] != 1 || done.Failed.Total > 0) {
				err = fmt.Errorf("resealed: %+v", done)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				k := proving.New(t, func(c *enrollment.Config) { c.RecoveryCodes = recovery.MinCount })
				g, p := k.NodeOver(k.Store, inPlace{k.Keys.Ring}), k.Enroll("alice")
				lost := false
				k.Store.NthAfter(proving.Save, at, func(_ context.Context, c *proving.Call) { c.Err, lost = proving.ErrLost, true })
				if err := call(k, g, p); err != nil {
					t.Errorf("reply %d was lost: %v", at, err)
				}
				if !lost {
					break
				}
			}
		})
	}
}

// A trailer seals with one key, names it behind the ciphertext, and decrypts
// where that stands.
type trailer struct {
	inPlace
	id string
}

func (s trailer) Seal(ctx context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	sealed, err := s.Ring.Seal(ctx, scope, binding, plaintext)
	return append(sealed, "/"+s.id...), err
}

func (s trailer) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	if id, err := s.KeyID(sealed); err != nil || id != s.id {
		clear(sealed)
		return nil, keyring.ErrUnknownKey
	}
	return s.inPlace.Open(ctx, scope, binding, sealed[:len(sealed)-1-len(s.id)])
}

func (s trailer) KeyID(sealed []byte) (string, error) {
	for _, id := range []string{"one", "two"} {
		if strings.HasSuffix(string(sealed), "/"+id) {
			return id, nil
		}
	}
	return "", errors.New("no key is named")
}

func (s trailer) PrimaryID() string { return s.id }

// A KeyNamer is asked about the very bytes that its Seal returned, as they were
// before they were opened.
func TestKeyNamerSeesWhatWasSealed(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	node := k.NodeOver(k.Store, trailer{inPlace{k.Keys.Ring}, "one"})
	for _, user := range []string{"alice", "bob"} {
		if _, err := node.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: enrollment.ByReauth("password")}); err != nil {
			t.Fatal(err)
		}
	}
	done, err := k.DirectoryOf(node, k.Store).Reseal(t.Context(), enrollment.ResealOptions{})
	if err != nil || done.Moved != 0 || done.Keys["one"] != 2 {
		t.Errorf("Reseal under the primary key: %+v, %v", done, err)
	}
	other := k.NodeOver(k.Store, trailer{inPlace{k.Keys.Ring}, "two"})
	err = k.DirectoryOf(other, k.Store).CheckKeys(t.Context())
	if !errors.Is(err, keyring.ErrUnknownKey) || !strings.Contains(fmt.Sprint(err), `names the key "one"`) {
		t.Errorf("CheckKeys with another key: %v", err)
	}
}
