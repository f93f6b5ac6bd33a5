package cases

import (
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Cases about codes as people type them from paper, or paste them from a message.

// TestCase73_LineOfTheSheet: a recovery code was refused because its line of the
// printed sheet was typed whole, or with a full stop at the end
// (NeosPublic#2528, fxa-content-server#6289).
func TestCase73_LineOfTheSheet(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	for i, write := range []func(code string) string{
		func(code string) string { return "   1.  [ ]  " + code + "\r\n" },
		func(code string) string { return "2. [x] " + strings.ToLower(code) },
		func(code string) string { return code + "." },
		func(code string) string { return "☐ " + strings.ReplaceAll(code, "-", " ") + "," },
		func(code string) string { return "5) " + strings.ReplaceAll(code, "-", "\u2011") },
		func(code string) string { return "\ufeff\u00a06.\u00a0" + strings.ReplaceAll(code, "-", "\u2013") },
	} {
		text := write(alice.Codes[i])
		if got := k.In(k.Challenge("alice"), text); got.Factor != enrollment.FactorRecovery || got.CodesLeft != 9-i {
			t.Errorf("%q: %+v", text, got)
		}
	}
	// One text is one guess, and a line without a code is none.
	challenge := k.Challenge("alice")
	k.Unchanged("alice", func() {
		k.Out(challenge, "  7.  [ ]  ", enrollment.ReasonMalformedCode)
		k.Out(challenge, "7. ABCD-EFGH-JKMN", enrollment.ReasonMalformedCode)
	})
	for range 5 {
		k.Out(challenge, " 7.  [ ]  0000-0000-0000-0000.", enrollment.ReasonWrongCode)
	}
	if got := k.Out(challenge, alice.Codes[7], enrollment.ReasonLocked); got.Factor != enrollment.FactorRecovery {
		t.Errorf("%+v", got)
	}
}

// TestCase73_PastedMessage: a message was pasted whole into the field for the code
// in it.
func TestCase73_PastedMessage(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	if _, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, "Your code is "+k.Code(app)+"."); err != nil {
		t.Fatal(err)
	}
	k.NextCode(app)
	if got := k.In(k.Challenge("alice"), "Code: "+k.Code(app)); got.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{"Der Code ist %.", "Ihr Code ist %", "The code is %", "% ist der Code"} {
		k.NextCode(app)
		if got := k.In(k.Challenge("alice"), strings.ReplaceAll(text, "%", k.Code(app))); got.Factor != enrollment.FactorTOTP {
			t.Errorf("%q: %+v", text, got)
		}
	}
	k.NextCode(app)
	alice := &proving.Person{ID: "alice", Key: app, Kit: k}
	phone := new(proving.Inbox)
	m := messages(k, phone)
	b, err := m.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+41441234567", Proof: enrollment.ByCode("Code: " + k.Code(app) + ".")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Confirm(t.Context(), "alice", b.Token, phone.Code()+" is your code."); err != nil {
		t.Fatal(err)
	}
	k.NextCode(app)
	k.Pass(enrollment.MessagePause)
	challenge := send(t, m, alice)
	if got := k.In(challenge, "G-"+phone.Code()+" is your code.\r\n"); got.Factor != enrollment.FactorDelivered {
		t.Errorf("%+v", got)
	}

	// What could be something else is no code, and five wrong ones are five guesses.
	challenge = k.Challenge("alice")
	k.Unchanged("alice", func() {
		for _, text := range []string{
			"Your code is " + k.Code(app) + ", valid for 10 minutes", "ABCD-EFGH-" + k.Code(app), "https://example.com/" + k.Code(app),
		} {
			k.Out(challenge, text, enrollment.ReasonMalformedCode)
		}
	})
	wrong := "000000"
	for wrong == k.Code(app, -1) || wrong == k.Code(app) || wrong == k.Code(app, 1) {
		wrong = "000001"
	}
	for range 5 {
		k.Out(challenge, "Your code is "+wrong, enrollment.ReasonWrongCode)
	}
	k.Out(challenge, "Your code is "+k.Code(app), enrollment.ReasonLocked)
}

// TestCase73_ImportedText: on an account with recovery codes of another system, a
// text with digits in it may be one of those. It is one, and never tried as both.
func TestCase73_ImportedText(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.TakeOver("alice", proving.Summed("code 123456", "second")...)
	if got := k.In(k.Challenge("alice"), "code 123456"); got.Factor != enrollment.FactorRecovery {
		t.Errorf("%+v", got)
	}
	challenge := k.Challenge("alice")
	if got := k.Out(challenge, "Your code is "+k.Code(alice.Key), enrollment.ReasonWrongCode); got.Factor != enrollment.FactorRecovery {
		t.Errorf("%+v", got)
	}
	if got := k.In(challenge, k.Code(alice.Key)); got.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v", got)
	}
}
