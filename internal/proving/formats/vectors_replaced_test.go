package formats_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// replaceCode answers the challenge with the recovery code, or shows the new code if it is
// answered.
func (v vectorToken) replaceCode(ctx context.Context, guard *enrollment.Guard) ([]string, error) {
	purpose, challenge := enrollment.Purpose(v.Purpose), enrollment.ChallengeOf(v.Token)
	_, fresh, err := guard.NewCode(ctx, purpose, challenge, v.Code)
	if errors.Is(err, enrollment.ReasonCodesNotKept) {
		var ok enrollment.Success
		ok, err = guard.Answer(ctx, purpose, challenge, v.Code)
		fresh = ok.NewCode
	}
	if err != nil {
		return nil, err
	}
	return []string{fresh.Reveal()}, nil
}

// secondReplaces makes the new code with the second implementation. If the challenge is
// answered, the record has its digest.
func (v vectorToken) secondReplaces(t *testing.T, record vectorRecord) {
	t.Helper()
	fresh := v.secondNewCode(t, record)
	if !slices.Equal([]string{fresh}, v.Codes) {
		t.Errorf("the second implementation makes %q, want %q", fresh, v.Codes)
	}
	if set := record.Account.Codes; record.replaced() && set.Scheme == 1 {
		salt, _ := hex.DecodeString(set.Salt)
		if !slices.Contains(set.Digests, secondFastDigest(salt, fresh)) || slices.Contains(set.Digests, secondFastDigest(salt, v.Code)) {
			t.Error("the record does not have the new code in the place of the used one")
		}
	}
}

// replaced reports whether a recovery code of the account was used.
func (v vectorRecord) replaced() bool {
	const recoveryUsed = 7
	return slices.Contains(v.Account.History, recoveryUsed)
}

func (v vectorToken) secondNewCode(t *testing.T, record vectorRecord) string {
	t.Helper()
	seed, _ := hex.DecodeString(v.Payload["seed"])
	id, _ := hex.DecodeString(v.Payload["id"])
	scheme := []string{"argon2id", "fast"}[record.Account.Codes.Scheme]
	code, err := secondNewCode(seed, v.Namespace, v.UserID, id, scheme, v.Code)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// writeReplaced makes the vectors of accounts whose used recovery codes are replaced.
func (w *vectorWorld) writeReplaced() {
	all := w.other()
	for _, scheme := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
		x := w.other()
		x.makeReplaced(scheme)
		all.records, all.tokens = append(all.records, x.records...), append(all.tokens, x.tokens...)
	}
	all.misplace(all.records[1], "replaced: of another user", "replaced: of another state")
	all.refuseTokens()
	writeVectors(all, "replaced_records.json", all.records)
	writeVectors(all, "replaced_tokens.json", all.tokens)
}

func (w *vectorWorld) makeReplaced(scheme recovery.Scheme) {
	ctx := w.t.Context()
	w.open(func(c *enrollment.Config) { c.ReplenishCodes, c.RecoveryScheme = true, scheme })
	setup, err := w.guard.Begin(ctx, vectorUser, enrollment.BeginOptions{Account: vectorUser, Proof: enrollment.ByReauth("password")})
	w.must(err)
	key, err := totp.NewKey(setup.Secret(), setup.Params())
	w.must(err)
	code, err := key.Code(w.now)
	w.must(err)
	done, err := w.guard.Confirm(ctx, vectorUser, setup.Token, code)
	w.must(err)
	codes := done.Codes.Reveal()
	w.now = w.now.Add(time.Minute)
	d, err := w.guard.SignIn(ctx, vectorUser, enrollment.SignInOptions{})
	w.must(err)

	keep := func(name string, purpose enrollment.Purpose, challenge enrollment.Challenge, used string) string {
		name = scheme.String() + ": " + name
		record := w.record(name, vectorUser)
		w.token(name, "challenge", name, challenge.Reveal(), func(v *vectorToken) {
			v.Purpose, v.Code = string(purpose), used
			v.Codes = []string{v.secondNewCode(w.t, record)}
		})
		return w.tokens[len(w.tokens)-1].Codes[0]
	}
	fresh := keep("a challenge with a seed", enrollment.PurposeSignIn, d.Challenge, codes[1])
	ok, err := w.guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, codes[1])
	w.must(err)
	if ok.NewCode.Reveal() != fresh {
		w.t.Error("the two implementations make different codes")
	}
	keep("its new code again", enrollment.PurposeSignIn, d.Challenge, codes[1])
	ok, err = w.guard.Verify(ctx, vectorUser, "x", codes[0])
	w.must(err)
	keep("the new code of a step-up again", "x", ok.Challenge, codes[0])
}
