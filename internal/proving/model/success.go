package model

import (
	"reflect"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// accept checks, apart from the model, that a code which was accepted never
// was before.
func (r *modelRun) accept(u *modelUser, m modelMatch, text string) {
	r.t.Helper()
	normal, _ := modelRead(text)
	switch m.factor {
	case enrollment.FactorRecovery:
		if m.other {
			normal = strings.ToLower(strings.TrimSpace(text))
		}
		if _, again := u.accepted[normal]; again {
			r.fatalf("a recovery code of %s was accepted twice", u.name)
		}
		u.accepted[normal] = struct{}{}
		u.grants++
		return
	case enrollment.FactorDelivered:
		last := len(u.texts) - 1 - slices.Index(modelReversed(u.texts), normal)
		if last == len(u.texts) || u.texts[last] == "" {
			r.fatalf("a delivered code of %s was accepted that was not sent, or twice", u.name)
		}
		u.texts[last] = ""
		return
	}
	fresh := false
	for k, key := range u.keys {
		x := modelApp{key: key}
		if m.offset != 0 && key.Secret().Equal(m.key.Secret()) {
			x.offset = m.offset
		}
		step := x.match(normal, r.now(), r.limits)
		if step == 0 || slices.ContainsFunc(u.used[k], func(s int64) bool { return s >= step }) {
			continue
		}
		fresh = true
		u.used[k] = append(u.used[k], step)
	}
	if !fresh {
		r.fatalf("%s: %q was accepted, and every step it belongs to had been used", u.name, text)
	}
}

func (r *modelRun) checkSuccess(u *modelUser, got enrollment.Success, p enrollment.Purpose, m modelMatch, a *modelAccount) {
	r.t.Helper()
	if got.NewCode.IsZero() != (m.place == 0) || got.Challenge.IsZero() != (m.place == 0) {
		r.fatalf("Success has a new code: %t", !got.NewCode.IsZero())
	}
	if m.place > 0 {
		c := strings.ReplaceAll(got.NewCode.Reveal(), "-", "")
		if slices.Contains(u.oldCodes, c) {
			r.fatalf("the new code was one before")
		}
		a.codes[m.place-1] = c
		u.oldCodes = append(u.oldCodes, c)
		u.secrets = append(u.secrets, got.NewCode.Reveal())
	}
	r.checkStamp(u, a, got.Stamp)
	got.Receipt, got.NewCode, got.Challenge, got.Stamp = enrollment.Receipt{}, recovery.Code{}, enrollment.Challenge{}, ""
	want := enrollment.Success{UserID: u.name, Purpose: p, Factor: m.factor, Authenticator: m.id, At: r.now(), CodesLeft: a.codesLeft(), Drift: m.drift, WrongCodes: m.wrong, WrongCodeAt: m.lastWrong}
	if !reflect.DeepEqual(got, want) {
		r.fatalf("Success %+v, want %+v", got, want)
	}
}
