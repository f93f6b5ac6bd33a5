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
)

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
