package bench

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A floor does what no Guard with encrypted accounts and sealed tokens could leave out,
// and nothing else: it decides nothing, looks at no clock, and is not prepared for
// conflicts or for a caller who hangs up.
type floor struct {
	parts *Parts
	like  User // whose scope and binding the parts have
	store store.Store
	mark  int // the length of what follows a sealed account in its record
}

func newFloor(parts *Parts, like User, accounts store.Store) floor {
	return floor{parts, like, accounts, len(like.Record.Data) - len(parts.sealed)}
}

// Floor is what SignIn and Answer can't do without, for these members.
func (c *Crew) Floor(ids []string) *Load {
	f := newFloor(c.parts, c.first, c.accounts)
	return over(ids, "the floor", func(ctx context.Context, id string) error {
		if _, _, err := f.load(ctx, id); err != nil {
			return err
		}
		challenge, err := f.token(ctx)
		if err != nil {
			return err
		}
		if err := f.answer(ctx, id, c.first.key, c.first.Right, challenge, nil); err != nil {
			return err
		}
		_, err = f.token(ctx) // the receipt
		return err
	})
}

// AnswerFloor is what Answer can't do without, for a wrong code, in the turns of AnswerWrong.
func (p *Population) AnswerFloor(ctx context.Context) (*Side, error) {
	parts, err := NewParts(ctx, p)
	if err != nil {
		return nil, err
	}
	f := newFloor(parts, p.Users[0], p.store)
	challenge, err := f.token(ctx)
	return &Side{
		Name:    "the floor",
		Batch:   guesses * len(p.Users),
		Prepare: func() error { return p.Restore(ctx) },
		Op: func(i int) error {
			u := &p.Users[i%len(p.Users)]
			return f.answer(ctx, u.ID, u.key, u.Wrong, challenge, totp.ErrWrong)
		},
	}, err
}

// answer opens the challenge, loads and opens the account, checks the code, and seals and
// saves the account.
func (f *floor) answer(ctx context.Context, id string, key totp.Key, code, challenge string, want error) error {
	raw, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil {
		return err
	}
	if _, err := f.parts.ring.Open(ctx, raw[:salt], nil, raw[salt:]); err != nil {
		return err
	}
	r, a, err := f.load(ctx, id)
	if err != nil {
		return err
	}
	if _, err := key.Check(code, base, 0); !errors.Is(err, want) {
		return fmt.Errorf("the check of the code came out as %v", err)
	}
	return f.save(ctx, r, a)
}

func (f *floor) load(ctx context.Context, id string) (store.Record, *account.Account, error) {
	r, err := f.store.Load(ctx, id)
	if err != nil {
		return r, nil, err
	}
	scope, binding := f.parts.place(f.like, id, r.Version)
	plain, err := f.parts.ring.Open(ctx, scope, binding, r.Data[:len(r.Data)-f.mark])
	if err != nil {
		return r, nil, err
	}
	a, err := account.Decode(plain)
	return r, a, err
}

// save saves what load has returned.
func (f *floor) save(ctx context.Context, r store.Record, a *account.Account) error {
	plain, err := a.Encode()
	if err != nil {
		return err
	}
	r.Version++
	scope, binding := f.parts.place(f.like, r.UserID, r.Version)
	mark := r.Data[len(r.Data)-f.mark:]
	if r.Data, err = f.parts.ring.Seal(ctx, scope, binding, plain); err != nil {
		return err
	}
	r.Data = append(r.Data, mark...)
	return f.store.Save(ctx, r, r.Version-1)
}

const (
	// salt is how many random bytes a token begins with. They give it a key of its own.
	salt = 16

	// payload is less than what a challenge or a receipt holds, in bytes.
	payload = 32
)

func (f *floor) token(ctx context.Context) (string, error) {
	var own [salt]byte
	rand.Read(own[:])
	sealed, err := f.parts.ring.Seal(ctx, own[:], nil, make([]byte, payload))
	return base64.RawURLEncoding.EncodeToString(append(own[:], sealed...)), err
}
