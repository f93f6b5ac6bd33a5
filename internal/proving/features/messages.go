package features

import (
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestFeatureR2_TextMessages: the user chooses text messages; the phone number is
// confirmed by a code sent to it.
func TestFeatureR2_TextMessages(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), proving.AddressAlone)
	p := k.Post()
	b, err := p.Begin("alice", enrollment.ByReauth("password"))
	proving.Want(t, err, "")
	m := p.Inbox.Last()
	if m.UserID != "alice" || m.Purpose != enrollment.PurposeSetup || m.Channel != "sms" || m.To != proving.Phone ||
		!m.Expires.Equal(b.Expires) || !b.Expires.Equal(k.Now().Add(enrollment.DeliveryTTL)) || len(m.Code()) != 6 {
		t.Errorf("the message is %+v to %s until %v", m, m.To, m.Expires)
	}
	if s := k.Status("alice"); s.Enabled() || s.Address != nil {
		t.Errorf("before the code, the status is %+v", s)
	}
	_, err = p.Confirm(t.Context(), "alice", b.Token, p.Inbox.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	done, err := p.Confirm(t.Context(), "alice", b.Token, m.Code())
	proving.Want(t, err, "")
	if done.Event != enrollment.EventEnabled || done.Codes.Len() != 10 || done.Success.Factor != enrollment.FactorDelivered ||
		done.Success.Purpose != enrollment.PurposeSetup || done.Success.UserID != "alice" {
		t.Errorf("%v, %d codes, %+v", done.Event, done.Codes.Len(), done.Success)
	}
	if e := k.Events(); len(e) != 1 || e[0].Kind != enrollment.EventEnabled || e[0].Factor != enrollment.FactorDelivered || e[0].Name != "sms" {
		t.Errorf("events %+v", e)
	}
	_, err = p.Confirm(t.Context(), "alice", b.Token, m.Code())
	proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)

	k.Pass(enrollment.MessagePause)
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if !slices.Equal(d.Factors, []enrollment.Factor{enrollment.FactorDelivered, enrollment.FactorRecovery}) {
		t.Errorf("factors %v", d.Factors)
	}
	sent := p.Deliver(d.Challenge)
	if sent.Address.Channel != "sms" || sent.Address.Hint != "…67" {
		t.Errorf("sent to %+v", sent.Address)
	}
	ok, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, sent.Challenge, p.Inbox.Code())
	proving.Want(t, err, "")
	s := k.Status("alice")
	if ok.Factor != enrollment.FactorDelivered || s.LastFactor != enrollment.FactorDelivered || !s.LastSignIn.Equal(k.Now()) ||
		!s.Address.Used.Equal(k.Now()) || !s.Address.Added.Before(s.Address.Used) {
		t.Errorf("%+v, %+v", ok, s)
	}
}
