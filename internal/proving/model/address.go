package model

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Addresses for delivered codes: the rules, and the operations of the driver.

type modelAddress struct {
	channel, to string
	added, used time.Time
}

var modelAddresses = []modelAddress{
	{channel: "sms", to: "+491701234542"}, {channel: "sms", to: "7"}, {channel: "email", to: "alice@example.com"},
	{channel: "email", to: "ü@example.com"}, {channel: "chat", to: "@alice"},
}

// modelHint is what of an address may be shown: two characters at its end, or
// of a mail address the first and the domain, but never most of it.
func modelHint(to string) string {
	return map[string]string{
		"+491701234542": "…42", "7": "…", "alice@example.com": "a…@example.com", "ü@example.com": "…@example.com", "@alice": "…ce",
	}[to]
}

func (x modelAddress) public() enrollment.Address {
	return enrollment.Address{Channel: x.channel, Hint: modelHint(x.to), Added: x.added, Used: x.used}
}

func (r *modelRun) bind(u *modelUser) { r.bindWith(u, r.ticket(u), r.proof(u)) }

func (r *modelRun) bindWith(u *modelUser, ticket string, p modelProof) {
	to := modelAddresses[r.rng.IntN(len(modelAddresses))]
	var w *modelMessage
	var got enrollment.Binding
	var m enrollment.Message
	var sent bool
	var match modelMatch
	no := r.do(u, fmt.Sprintf("Bind %s with ticket %q by %v", to.channel, ticket, p), func(a *modelAccount, turn int) *modelNo {
		if !a.enrolled() && !r.alone {
			return modelDeny(enrollment.ReasonNoAuthenticator)
		}
		if no := a.checkTicket(ticket); no != nil {
			return no
		}
		if no := a.mayMessage(r.now()); no != nil {
			return no
		}
		var no *modelNo
		if match, no = a.proveAdding(p, u.name, r.now(), turn, r.config.UnprovenSetup, false); no != nil {
			return no
		}
		w = a.post(r.next(), to, r.now())
		return nil
	}, func(ctx context.Context) (err error) {
		m, sent, err = r.posted(func() (err error) {
			got, err = r.messages.Bind(ctx, u.name, enrollment.BindOptions{Channel: to.channel, To: to.to, Ticket: enrollment.TicketOf(ticket), Proof: p.proof()})
			return err
		})
		return err
	}, func(a *modelAccount) {
		r.arrived(u, a, m, enrollment.Message{UserID: u.name, Purpose: enrollment.PurposeSetup, Channel: to.channel, To: to.to, Expires: w.expires}, w)
		if !sent {
			if !reflect.DeepEqual(got, enrollment.Binding{}) {
				r.fatalf("Bind returned %+v although nothing was sent", got)
			}
			return
		}
		if !got.Expires.Equal(w.expires) || got.Token.IsZero() {
			r.fatalf("Bind returned %+v, want expiry %v", got, w.expires)
		}
		r.bindings = append(r.bindings, modelToken{number: w.number, text: got.Token.Reveal(), user: u.name, expires: w.expires}.mandate(p))
	})
	if no == nil && match.factor != "" {
		r.accept(u, match, p.code)
	}
}

func (r *modelRun) confirmAddress(u *modelUser) {
	t := modelToken{text: "YmluZGluZw", user: "nobody"}
	own := slices.DeleteFunc(slices.Clone(r.bindings), func(t modelToken) bool { return t.user != u.name })
	switch {
	case len(own) > 0 && !r.chance(5):
		t = own[len(own)-1]
	case r.chance(2): // the token of something else
		if x, ok := modelPick(r, append(slices.Clone(r.bindings), r.setups...)); ok {
			t = x
			if slices.ContainsFunc(r.setups, func(s modelToken) bool { return s.text == x.text }) {
				t = modelToken{text: x.text, user: "nobody"}
			}
		}
	}
	code := r.typed(u)
	if w := u.account.waiting; w != nil && !r.chance(4) {
		code = w.digits
	}
	r.confirmAddressWith(u, t, code)
}

func (r *modelRun) confirmAddressWith(u *modelUser, t modelToken, code string) {
	var got enrollment.Confirmed
	var needs bool
	var kind enrollment.EventKind
	var purpose enrollment.Purpose
	no := r.do(u, fmt.Sprintf("ConfirmAddress %d with %q", t.number, code), func(a *modelAccount, turn int) (no *modelNo) {
		normal, f := modelRead(code)
		if no := r.glanceSetup(u, t); no != nil {
			return no
		}
		if f != enrollment.FactorTOTP {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		w := a.waiting
		switch {
		case a.setUp.number == t.number:
			return modelDeny(enrollment.ReasonAlreadyConfirmed)
		case w == nil || w.binds.channel == "":
			return r.over(t, modelDeny(enrollment.ReasonNoSetup))
		case w.number != t.number:
			return r.over(t, modelDeny(enrollment.ReasonSetupSuperseded))
		case w.late(r.now()):
			return modelDeny(enrollment.ReasonSetupExpired)
		case !a.enrolled() && !r.alone:
			return modelDeny(enrollment.ReasonNoAuthenticator)
		case len(normal) != 6:
			return modelDeny(enrollment.ReasonMalformedCode)
		}
		if no := a.sms.refuses(modelShort, r.now()); no != nil {
			no.factor = enrollment.FactorDelivered
			return no
		}
		if needs, no = a.needsCodes(r.now()); no != nil {
			return no
		}
		if no := a.take(normal, r.now()); no != nil {
			return no
		}
		kind = enrollment.EventAddressBound
		if !a.enrolled() {
			kind = enrollment.EventEnabled
		}
		a.address = w.binds
		a.address.added, a.address.used = r.now(), r.now()
		a.setUp = modelDone{number: t.number, until: w.expires.Add(modelAgain)}
		a.proven(kind, enrollment.FactorDelivered, w.binds.channel, needs, r.now(), turn)
		purpose = r.completes(a, t, enrollment.FactorDelivered)
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.messages.Confirm(ctx, u.name, enrollment.SetupTokenOf(t.text), code)
		return err
	}, func(a *modelAccount) {
		r.takeCodes(u, a, needs, nil, got.Codes)
		if got.Event != kind {
			r.fatalf("Confirm says %q, want %q", got.Event, kind)
		}
		m := modelMatch{factor: enrollment.FactorDelivered}
		r.checkSuccess(u, got.Success, purpose, m, a)
		r.keep(u, got.Success, a)
	})
	if no == nil {
		r.accept(u, modelMatch{factor: enrollment.FactorDelivered}, code)
	}
}

func (r *modelRun) unbind(u *modelUser) { r.unbindBy(u, r.proof(u)) }

func (r *modelRun) unbindBy(u *modelUser, p modelProof) {
	var match modelMatch
	no := r.do(u, fmt.Sprintf("Unbind by %v", p), func(a *modelAccount, turn int) *modelNo {
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case a.address.channel == "":
			return modelDeny(enrollment.ReasonNoAddress)
		case len(a.apps) == 0:
			return modelDeny(enrollment.ReasonLastAuthenticator)
		}
		by, no := a.prove(p, u.name, r.now(), turn, modelDemand{reauth: r.config.ReauthDisables})
		if no != nil {
			return no
		}
		match = by.match
		name := a.address.channel
		a.address = modelAddress{}
		a.bypassFrom, a.bypassUntil = time.Time{}, time.Time{} // a factor is taken away
		a.turn(turn)
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventAddressRemoved, Factor: by.factor, Method: by.method, Name: name})
		return nil
	}, func(ctx context.Context) error { return r.messages.Unbind(ctx, u.name, p.proof()) }, nil)
	if no == nil && match.factor != "" {
		r.accept(u, match, p.code)
	}
}
