package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Users who come from other systems and go to them: the operations of the driver.

func (r *modelRun) export(u *modelUser) {
	var got enrollment.Export
	r.administer(u, "Export", func(a *modelAccount, by modelActor, _ int) *modelNo {
		if !a.enrolled() {
			return modelDeny(enrollment.ReasonNotEnrolled)
		}
		a.record(r.now(), by.event(enrollment.EventExported))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) (err error) {
		got, err = x.Export(ctx, u.name)
		return err
	}, func(a *modelAccount) {
		list := got.Reveal()
		if len(list) != len(a.apps) {
			r.fatalf("%d authenticators were exported, want %d", len(list), len(a.apps))
		}
		for i, x := range list {
			if w := a.apps[i]; x.Name != w.name || !x.Added.Equal(w.added) || !x.Key.Secret().Equal(w.key.Secret()) || x.Key.Params() != w.key.Params() {
				r.fatalf("the authenticator %q was exported as %q, added %v", w.name, x.Name, x.Added)
			}
		}
	})
}

// importedCodes makes recovery codes as other systems do.
func (r *modelRun) importedCodes() (texts []string) {
	for range r.rng.IntN(4) {
		text := []string{
			strings.ToLower(r.symbols(5) + "-" + r.symbols(5)), fmt.Sprintf("%08d", r.rng.IntN(100_000_000)), r.symbols(16),
			fmt.Sprintf("%06d", r.rng.IntN(1_000_000)), "Mixed " + r.symbols(4), r.symbols(26),
		}[r.rng.IntN(6)]
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// theirs is what another system has of the user.
func (r *modelRun) theirs(u *modelUser) (im enrollment.Import, keys []totp.Key, texts []string) {
	texts = r.importedCodes()
	im.RecoveryHashes = proving.Hashes(proving.Summed(texts...)...)
	for range 1 + r.rng.IntN(3)*r.rng.IntN(2) {
		x := enrollment.ImportedAuthenticator{Name: []string{"", "old phone"}[r.rng.IntN(2)]}
		switch key, ok := modelPick(r, u.keys); {
		case ok && r.chance(2): // one that the account may have had before
			x.Key = key
		default:
			raw := make([]byte, 20)
			if r.chance(3) {
				raw = raw[:10+r.rng.IntN(6)]
			}
			for i := range raw {
				raw[i] = byte(r.rng.Uint32())
			}
			secret, err := totp.ShortSecrets{}.NewSecret(raw)
			if err != nil {
				r.t.Fatal(err)
			}
			if x.Key, err = totp.NewKey(secret, totp.Params{Digits: 6 + 2*r.rng.IntN(2)*r.rng.IntN(2)}); err != nil {
				r.t.Fatal(err)
			}
		}
		if r.chance(3) {
			x.Added = r.now().Add([]time.Duration{-100 * modelDay, modelDay}[r.rng.IntN(2)])
		}
		im.Authenticators = append(im.Authenticators, x)
		keys = append(keys, x.Key)
	}
	return im, keys, texts
}

// takeOver is what comes of an import that is not refused.
func (a *modelAccount) takeOver(im enrollment.Import, texts []string, now time.Time) {
	for _, from := range im.Authenticators {
		x := modelApp{key: from.Key, name: from.Name, added: from.Added}
		if x.name == "" {
			x.name = "Authenticator"
		}
		if x.added.Unix() <= 0 || x.added.After(now) {
			x.added = now
		}
		x.last = max(0, modelStep(now)+1, a.lastUsed/modelPeriod)
		a.apps = append(a.apps, x)
	}
	for _, text := range texts {
		a.imported = append(a.imported, modelImported{text: text})
	}
}

// taken reports what the user holds once an import has been stored.
func (r *modelRun) taken(u *modelUser, im enrollment.Import, texts []string) {
	u.grants++
	u.texts = append(u.texts, texts...)
	u.raw = append(u.raw, proving.Summed(texts...)...)
	for _, from := range im.Authenticators {
		if !slices.ContainsFunc(u.keys, func(x totp.Key) bool { return x.Secret().Equal(from.Key.Secret()) }) {
			u.keys = append(u.keys, from.Key)
		}
	}
}

// named gives the account the ids that the Guard has drawn.
func (r *modelRun) named(u *modelUser, a *modelAccount, texts []string) {
	s, err := r.guard.Status(r.t.Context(), u.name)
	if err != nil || len(s.Authenticators) != len(a.apps) {
		r.fatalf("%d authenticators after an import of %d, %v", len(s.Authenticators), len(a.apps), err)
	}
	for i := range a.apps {
		a.apps[i].id = s.Authenticators[i].ID
	}
	for _, text := range texts {
		delete(u.accepted, strings.ToLower(text))
	}
}

func (r *modelRun) importKeys(u *modelUser) {
	var named string
	im, keys, texts := r.theirs(u)
	im.Again = r.chance(2)
	if r.chance(20) {
		im.Authenticators[0].Name, named = strings.Repeat("n", 65), "badly named"
	}
	no := r.administer(u, fmt.Sprintf("Import of %d with codes %q again=%t %s", len(keys), texts, im.Again, named), func(a *modelAccount, by modelActor, turn int) *modelNo {
		switch {
		case a.enrolled():
			return modelDeny(enrollment.ReasonAlreadyEnrolled)
		case !im.Again && (a.was || a.ticket != ""):
			return modelDeny(enrollment.ReasonWasEnrolled)
		case len(keys) > a.limits.apps:
			return modelDeny(enrollment.ReasonTooManyAuthenticators)
		}
		for i, k := range keys {
			if k.Secret().Short() && a.limits.short.IsZero() {
				return modelDeny(enrollment.ReasonShortSecret)
			}
			if slices.ContainsFunc(keys[:i], func(x totp.Key) bool { return x.Secret().Equal(k.Secret()) }) {
				return modelDeny(enrollment.ReasonDuplicateSecret)
			}
		}
		a.clear(r.now(), turn)
		a.takeOver(im, texts, r.now())
		a.forgive(r.now())
		a.record(r.now(), by.event(enrollment.EventImported))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) error { return x.Import(ctx, u.name, im) }, func(a *modelAccount) { r.named(u, a, texts) })
	if no == nil {
		r.taken(u, im, texts)
	}
}

// moveIn signs in with what another system has of the user.
func (r *modelRun) moveIn(u *modelUser) {
	im, _, texts := r.theirs(u)
	for r.limits.short.IsZero() && im.Authenticators[0].Key.Secret().Short() {
		im, _, texts = r.theirs(u)
	}
	im.Authenticators = im.Authenticators[:1] // so that nothing is wrong with it
	r.signInMoving(u, r.signInOptions(u), &im, texts)
}

// migrate makes room for an import and uses what came with it.
func (r *modelRun) migrate(u *modelUser) {
	if u.account.enrolled() {
		if r.chance(3) {
			r.erase(u)
		} else {
			r.adminResetWith(u, false, false)
		}
	}
	r.importKeys(u)
	r.outlive(u)
	if len(u.account.imported) > 0 && r.chance(4) {
		r.guess(u, 30+r.rng.IntN(12), true)
	}
	for _, f := range u.account.imported {
		r.real = r.real.Add(time.Minute)
		text := f.text
		switch r.rng.IntN(6) {
		case 0:
			text = strings.ToUpper(text)
		case 1:
			text = " " + strings.ToLower(text) + "\n"
		}
		if r.chance(3) {
			r.signIn(u)
			r.answerLatest(u, text)
		} else {
			r.verify(u, text)
		}
		if r.chance(3) {
			r.verify(u, text)
		}
	}
	if r.chance(3) {
		r.newCodes(u)
	}
}

// move takes the account to another user id: a second one of the user, or now and
// then that of somebody else.
func (r *modelRun) move(u *modelUser) {
	from, to := u.name, u.name+".2"
	if back, ok := strings.CutSuffix(from, ".2"); ok {
		to = back
	}
	var holder *modelUser
	if other := r.users[(slices.Index(r.users, u)+1)%len(r.users)]; r.chance(8) && other.account.stored {
		holder, to = other, other.name
	}
	r.administer(u, "Move to "+to, func(a *modelAccount, by modelActor, turn int) *modelNo {
		switch { // a denial repairs nothing
		case by.actor == to:
			return modelForm(enrollment.ReasonOwnAccount)
		case !a.stored:
			return modelForm(enrollment.ReasonNotEnrolled)
		case holder != nil:
			return modelForm(enrollment.ReasonUserIDTaken)
		}
		a.turn(turn)
		a.lost = nil // the event of the move says it
		if a.ticket != "" {
			a.ticket = "void" // it was for the old id
		}
		a.record(r.now(), by.event(enrollment.EventMoved))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) error { return x.Move(ctx, from, to) }, func(*modelAccount) {
		if d, err := r.guard.SignIn(r.t.Context(), from, enrollment.SignInOptions{}); !errors.Is(err, enrollment.ErrMoved) {
			r.fatalf("the old id may go on: %v, %v", d.Next, err)
		}
		r.challenges = slices.DeleteFunc(r.challenges, func(t modelToken) bool { return t.user == from })
		r.replaced = slices.DeleteFunc(r.replaced, func(t modelNewCode) bool { return t.user == from })
		u.name = to
		u.stamps = nil // those of another id differ
		delete(r.left, to)
		r.left[from] = true
	})
}
