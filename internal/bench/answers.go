package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// AnswerWrong is Answer with a wrong code that is evaluated, counted and saved.
// Each account gets as many as begin no wait, some seconds apart, and is then
// put back.
func (p *Population) AnswerWrong(ctx context.Context, name string) *Side {
	return &Side{
		Name:    name,
		Batch:   guesses * len(p.Users),
		Prepare: func() error { return p.Restore(ctx) },
		Op: func(i int) error {
			u := &p.Users[i%len(p.Users)]
			p.set(base.Add(time.Duration(i/len(p.Users)) * pace))
			_, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Wrong)
			return denied(err, enrollment.ReasonWrongCode)
		},
	}
}

// AnswerRight is Answer with the right code. Each account is put back after
// one, with its challenge open and the code unused as they were.
func (p *Population) AnswerRight(ctx context.Context, name string) *Side {
	return &Side{
		Name:  name,
		Batch: len(p.Users),
		Prepare: func() error {
			p.set(base)
			return p.Restore(ctx)
		},
		Op: func(i int) error {
			u := &p.Users[i]
			_, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Right)
			return err
		},
	}
}

// AnswerFifth is Answer with the wrong code that begins a wait, which is
// recorded in the account's history.
func (p *Population) AnswerFifth(ctx context.Context, name string) *Side {
	return &Side{
		Name:    name,
		Batch:   len(p.Users),
		Prepare: func() error { return p.use(ctx, guesses) },
		Op: func(i int) error {
			u := &p.Users[i]
			_, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Wrong)
			return denied(err, enrollment.ReasonWrongCode)
		},
	}
}

// AnswerLocked is Answer while the account is locked: nothing is evaluated or
// written.
func (p *Population) AnswerLocked(ctx context.Context, name string) *Side {
	ready := false
	return &Side{
		Name:  name,
		Batch: 1 << 30,
		Prepare: func() error {
			if ready {
				return nil
			}
			ready = true
			return p.use(ctx, guesses+1)
		},
		Op: func(i int) error {
			u := &p.Users[i%len(p.Users)]
			_, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Right)
			return denied(err, enrollment.ReasonLocked)
		},
	}
}

// SignIn is SignIn of a member, which mints a challenge and writes nothing.
func (p *Population) SignIn(ctx context.Context, name string) *Side {
	n := 0
	return &Side{Name: name, Op: func(int) error {
		id := p.Users[n%len(p.Users)].ID
		n++
		d, err := p.Guard.SignIn(ctx, id, enrollment.SignInOptions{})
		if err == nil && d.Next != enrollment.AskCode {
			err = fmt.Errorf("SignIn decided %v", d.Next)
		}
		return err
	}}
}

// LoadAndSave is what Answer asks of the store, and nothing else of it, with
// other bytes each time.
func (p *Population) LoadAndSave(ctx context.Context, name string) *Side {
	n, random := 0, rand.NewChaCha8([32]byte{3})
	return &Side{Name: name, Op: func(int) error {
		id := p.Users[n%len(p.Users)].ID
		n++
		r, err := p.store.Load(ctx, id)
		if err != nil {
			return err
		}
		prev := r.Version
		r.Version++
		random.Read(r.Data)
		return p.store.Save(ctx, r, prev)
	}}
}

// use puts the accounts back and gives each n wrong codes.
func (p *Population) use(ctx context.Context, n int) error {
	if err := p.Restore(ctx); err != nil {
		return err
	}
	p.set(base)
	for _, u := range p.Users {
		for range n {
			_, err := p.Guard.Answer(ctx, enrollment.PurposeSignIn, u.Challenge, u.Wrong)
			if err := denied(err, enrollment.ReasonWrongCode); err != nil {
				return err
			}
		}
	}
	return nil
}
