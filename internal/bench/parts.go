package bench

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Parts are the parts of Answer that neither evaluate nor store, each by
// itself, on the account of a user of a Population.
type Parts struct {
	ring    *keyring.Ring
	plain   []byte
	sealed  []byte
	scope   []byte
	binding []byte
}

// peeper is a Sealer that keeps the last account it has opened.
type peeper struct {
	*keyring.Ring
	parts *Parts
}

func (s peeper) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	plain, err := s.Ring.Open(ctx, scope, binding, sealed)
	s.parts.plain = append([]byte(nil), plain...)
	s.parts.sealed = append([]byte(nil), sealed...)
	s.parts.scope = append([]byte(nil), scope...)
	s.parts.binding = append([]byte(nil), binding...)
	return plain, err
}

// NewParts returns the parts of the first user's account.
func NewParts(ctx context.Context, p *Population) (*Parts, error) {
	parts := &Parts{ring: p.ring}
	guard, err := enrollment.New(p.store, peeper{p.ring, parts}, p.config(recovery.Fast))
	if err != nil {
		return nil, err
	}
	_, err = guard.Status(ctx, p.Users[0].ID)
	return parts, err
}

// Size returns the length of the account in bytes, before it is sealed.
func (p *Parts) Size() int { return len(p.plain) }

// Decode reads the account, without the parts that a check leaves undecoded.
func (p *Parts) Decode() *Side {
	return &Side{Name: "decode the account", Op: func(int) error {
		_, err := account.Decode(p.plain)
		return err
	}}
}

// Encode writes the account, as Decode has left it.
func (p *Parts) Encode() (*Side, error) {
	a, err := account.Decode(p.plain)
	return &Side{Name: "encode the account", Op: func(int) error {
		_, err := a.Encode()
		return err
	}}, err
}

// Open opens the record. The user's key is at hand, because the ring keeps the last.
func (p *Parts) Open(ctx context.Context) *Side {
	return &Side{Name: "open the record", Op: func(int) error {
		_, err := p.ring.Open(ctx, p.scope, p.binding, p.sealed)
		return err
	}}
}

// Seal seals the record. The user's key is at hand.
func (p *Parts) Seal(ctx context.Context) *Side {
	return &Side{Name: "seal the record", Op: func(int) error {
		_, err := p.ring.Seal(ctx, p.scope, p.binding, p.plain)
		return err
	}}
}

// Derive derives a user's key and seals the record: the user is never the last one.
func (p *Parts) Derive(ctx context.Context) *Side {
	scopes := [2][]byte{p.scope, append([]byte("another "), p.scope...)}
	n := 0
	return &Side{Name: "derive a key, and seal the record", Op: func(int) error {
		n++
		_, err := p.ring.Seal(ctx, scopes[n%2], p.binding, p.plain)
		return err
	}}
}
