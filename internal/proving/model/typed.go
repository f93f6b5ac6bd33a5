package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// What users type and bring.

// typed returns something that the user, or somebody else, could type.
func (r *modelRun) typed(u *modelUser) string {
	if a := u.view(r.now()); a.totp.refuses(modelShort, r.now()) != nil && len(a.codes) > 0 && r.chance(4) {
		return r.code(u, 70+r.rng.IntN(10)) // who is locked out takes a recovery code
	}
	return r.code(u, r.rng.IntN(104))
}

func (r *modelRun) code(u *modelUser, kind int) string {
	now := r.now()
	digits := func() string { return fmt.Sprintf("%06d", r.rng.IntN(1_000_000)) }
	app, has := modelPick(r, u.account.apps)
	now = app.clock(now)
	switch {
	case kind < 34 && has: // the code of now
		return proving.Shown(app.key, now)
	case kind < 42 && has:
		return proving.Shown(app.key, now.Add(-30*time.Second))
	case kind < 50 && has:
		return proving.Shown(app.key, now.Add(30*time.Second))
	case kind < 55 && has: // the last used one
		return proving.Shown(app.key, time.Unix(app.last*modelPeriod, 0))
	case kind < 57 && has: // out of the window
		return proving.Shown(app.key, now.Add(time.Duration(r.rng.IntN(9)-4)*time.Minute))
	case kind < 59 && has:
		c := proving.Shown(app.key, now)
		return " " + c[:min(3, len(c))] + " - " + c[min(3, len(c)):] + "\n"
	case kind < 70:
		return digits()
	case kind < 78: // a code of the set, spent or not
		if c, ok := modelPick(r, u.account.codes); ok {
			return c
		}
	case kind < 80: // one of any set, in lower case
		if c, ok := modelPick(r, u.oldCodes); ok {
			return strings.ToLower(c)
		}
	case kind < 82: // unknown, of the right scheme
		return r.symbols(26)
	case kind < 84: // of another system, used or not, or of a message
		if f, ok := modelPick(r, u.account.imported); ok {
			return []string{f.text, strings.ToUpper(f.text), " " + f.text}[r.rng.IntN(3)]
		}
		if c, ok := modelPick(r, u.texts); ok {
			return c
		}
	case kind < 86: // of the other scheme
		return r.symbols(16)
	case kind < 94:
		return []string{"", "12345", "123456789", "hello", strings.Repeat(" ", 60) + "123456", "UUUUUUUUUUUUUUUU", "hello, world", strings.Repeat("z", 64)}[r.rng.IntN(8)]
	case kind < 97: // of somebody else, of a setup, of what is gone
		if key, ok := modelPick(r, r.users[r.rng.IntN(2)].keys); ok {
			return proving.Shown(key, now)
		}
	case kind < 99:
		return digits() + "7"
	}
	return digits()
}

func (r *modelRun) symbols(n int) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.rng.IntN(len(alphabet))]
	}
	return string(b)
}

func (r *modelRun) proof(u *modelUser) modelProof {
	if own := slices.DeleteFunc(slices.Clone(r.enrolls), func(t modelToken) bool { return t.user != u.name }); r.chance(8) {
		if t, ok := modelPick(r, own); ok && !r.chance(6) {
			return r.enrollProof(t)
		} else if t, ok = modelPick(r, r.enrolls); ok {
			return r.enrollProof(t) // of any user
		}
	}
	if !u.account.enrolled() && !r.chance(6) {
		return modelProof{kind: "reauth"} // nothing else gets anywhere
	}
	switch n := r.rng.IntN(20); {
	case n < 8:
		return modelProof{kind: "code", code: r.typed(u)}
	case n < 15:
		own := slices.DeleteFunc(slices.Clone(r.receipts), func(t modelToken) bool { return t.user != u.name })
		if t, ok := modelPick(r, own); ok {
			return modelProof{kind: "receipt", receipt: t}
		}
	case n < 16: // of any user
		if t, ok := modelPick(r, r.receipts); ok {
			return modelProof{kind: "receipt", receipt: t}
		}
	case n < 17: // a token of another kind, or none at all
		if t, ok := modelPick(r, append(slices.Clone(r.challenges), r.setups...)); ok && r.chance(2) {
			return modelProof{kind: "receipt", text: t.text}
		}
		return modelProof{kind: "receipt", text: "bm8gcmVjZWlwdCBhdCBhbGw"}
	case n < 19:
		return modelProof{kind: "reauth"}
	}
	return modelProof{kind: "none"}
}

// keep remembers the receipt of a Success.
func (r *modelRun) keep(u *modelUser, s enrollment.Success, a *modelAccount) {
	r.t.Helper()
	if s.Receipt.IsZero() {
		r.fatalf("a Success without a receipt")
	}
	r.receipts = append(r.receipts, modelToken{
		number: r.next(), text: s.Receipt.Reveal(), user: u.name, epoch: a.epoch, issued: r.now(), factor: s.Factor, purpose: s.Purpose,
	})
}
