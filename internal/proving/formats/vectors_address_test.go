package formats_test

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// useAddress confirms the address with the code that was sent there. Without a code it
// shows the recovery codes that were made with the token.
func (v vectorToken) useAddress(ctx context.Context, guard *enrollment.Guard) ([]string, error) {
	token := enrollment.SetupTokenOf(v.Token)
	if v.Code == "" {
		codes, err := guard.SetupCodes(ctx, v.UserID, token)
		return codes.Reveal(), err
	}
	done, err := guard.Messages().Confirm(ctx, v.UserID, token, v.Code)
	want := enrollment.PurposeSetup
	if v.Purpose != "" {
		want = enrollment.Purpose(v.Purpose)
	}
	if err == nil && done.Success.Purpose != want {
		err = fmt.Errorf("a Success for %q", done.Success.Purpose)
	}
	return done.Codes.Reveal(), err
}

// writeAddresses makes the vectors of addresses that are all that an account has.
func (w *vectorWorld) writeAddresses() {
	x := w.other()
	x.makeAddresses()
	x.misplace(x.records[2], "address of another user", "address of another state")
	x.refuseTokens()
	writeVectors(x, "address_records.json", x.records)
	writeVectors(x, "address_tokens.json", x.tokens)
}

// makeAddresses sets two addresses up: at a settings page, and at a sign-in that demands
// it.
func (w *vectorWorld) makeAddresses() {
	ctx, inbox := w.t.Context(), new(proving.Inbox)
	w.open(func(c *enrollment.Config) { c.Sender, c.AddressAlone = inbox, true })
	bind := func(name, purpose string, proof enrollment.Proof) enrollment.Binding {
		b, err := w.guard.Messages().Bind(ctx, vectorUser, enrollment.BindOptions{Channel: "email", To: "alice@example.com", Proof: proof})
		w.must(err)
		w.record(name, vectorUser)
		w.token(name, "address", name, b.Token.Reveal(), func(v *vectorToken) {
			v.Code, v.Purpose, v.Codes = inbox.Code(), purpose, w.addressCodes(v)
		})
		return b
	}
	d, err := w.guard.SignIn(ctx, vectorUser, enrollment.SignInOptions{Require: true})
	w.must(err)
	bind("address pending at a sign-in", string(enrollment.PurposeSignIn), enrollment.ByEnrollToken(d.EnrollToken, ""))
	w.now = w.now.Add(enrollment.MessagePause)
	b := bind("address pending", "", enrollment.ByReauth("password"))
	_, err = w.guard.Messages().Confirm(ctx, vectorUser, b.Token, inbox.Code())
	w.must(err)
	w.record("address confirmed", vectorUser)
	w.token("address confirmed: its codes again", "address", "address confirmed", b.Token.Reveal(), func(v *vectorToken) { v.Codes = w.addressCodes(v) })
}

// addressCodes are the recovery codes of the token, by the second implementation.
func (w *vectorWorld) addressCodes(v *vectorToken) []string {
	w.t.Helper()
	seed, err := hex.DecodeString(v.Payload["seed"])
	w.must(err)
	id, err := hex.DecodeString(v.Payload["id"])
	w.must(err)
	codes, err := secondCodesOf(seed, v.Namespace, "address", vectorUser, id, "fast", recovery.MinCount)
	w.must(err)
	return codes
}

// misplace makes records that must not open of one that does: of another user, and of
// another state.
func (w *vectorWorld) misplace(good vectorRecord, ofUser, ofState string) {
	user, state := good, good
	user.Name, user.UserID = ofUser, "mallory"
	state.Name, state.State = ofState, store.None
	for _, v := range []vectorRecord{user, state} {
		v.Refused, v.Account, v.Code = "damaged or misplaced", nil, ""
		w.records = append(w.records, v)
	}
}
