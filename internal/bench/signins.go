package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// randomOrder returns the numbers below n in random order.
func randomOrder(n int) []int { return rand.Perm(n) }

// SignIns is SignIn and then Answer with the right code, by these members. Each
// signs in at most once in a turn. Each turn is a time step or a few later than
// the one before, so that there are new codes.
func (c *Crew) SignIns(ids []string) *Load { return c.signIns("SignIn and Answer", c.Guard, ids) }

func (c *Crew) signIns(name string, g *enrollment.Guard, ids []string) *Load {
	var code string
	first := 0
	return &Load{
		Name: name,
		Most: len(ids),
		Prepare: func(context.Context) (err error) {
			first = rand.IntN(len(ids))
			code, err = c.tick()
			return err
		},
		Op: func(ctx context.Context, i int) error { return signIn(ctx, g, ids[(first+i)%len(ids)], code) },
	}
}

// signIn is what a member does.
func signIn(ctx context.Context, g *enrollment.Guard, id, code string) error {
	d, err := g.SignIn(ctx, id, enrollment.SignInOptions{})
	if err != nil {
		return err
	}
	ok, err := g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, code)
	if err == nil && ok.UserID != id {
		err = errors.New("somebody else has signed in")
	}
	return err
}

// tick moves the clock to a time step whose code nobody has used, and returns
// that code. Now and then two steps close to each other have the same code; the
// second of them is left out, as it would be refused.
func (c *Crew) tick() (string, error) {
	p, key := c.population, c.first.key
	period := key.Params().Period
	for {
		p.set(p.now().Add(period))
		code, err := key.Code(p.now())
		if err != nil {
			return "", err
		}
		same := false
		for step := -3; step <= 3; step++ {
			near, err := key.Code(p.now().Add(time.Duration(step) * period))
			if err != nil {
				return "", err
			}
			same = same || step != 0 && near == code
		}
		if !same {
			return code, nil
		}
	}
}

// Store is what SignIn and Answer ask of the store, and nothing else of it, for
// these members. It writes other bytes each time, so that their accounts can't be
// opened afterwards.
func (c *Crew) Store(ids []string) *Load {
	return over(ids, "two Loads and a Save", func(ctx context.Context, id string) error {
		if _, err := c.accounts.Load(ctx, id); err != nil {
			return err
		}
		r, err := c.accounts.Load(ctx, id)
		if err != nil {
			return err
		}
		prev := r.Version
		r.Version = 1 + prev%(1<<50)
		c.noise.read(r.Data)
		return c.accounts.Save(ctx, r, prev)
	})
}

// over does the work for each of the ids at most once in a turn.
func over(ids []string, name string, work func(ctx context.Context, id string) error) *Load {
	first := 0
	return &Load{
		Name:    name,
		Most:    len(ids),
		Prepare: func(context.Context) error { first = rand.IntN(len(ids)); return nil },
		Op:      func(ctx context.Context, i int) error { return work(ctx, ids[(first+i)%len(ids)]) },
	}
}
