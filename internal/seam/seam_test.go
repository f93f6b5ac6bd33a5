package seam_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/seam"
	"golang.org/x/crypto/bcrypt"
)

type sealer struct{ of seam.Seam }

func (s sealer) Seam() seam.Seam { return s.of }

func TestOf(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]any{"nil": nil, "another type": "text", "a sealer that brings nothing": sealer{}} {
		s := seam.Of(x)
		if s.Random != rand.Reader {
			t.Errorf("%s: random bytes come from %T", name, s.Random)
		}
		if s.Bcrypt(hash, []byte("right")) != nil || s.Bcrypt(hash, []byte("wrong")) == nil {
			t.Errorf("%s: bcrypt is not compared", name)
		}
	}
	none, source := errors.New("never"), strings.NewReader("")
	s := seam.Of(sealer{seam.Seam{Random: source, Bcrypt: func(_, _ []byte) error { return none }}})
	if s.Random != source || s.Bcrypt(hash, []byte("right")) != none {
		t.Error("what the sealer brings is not used")
	}
}
