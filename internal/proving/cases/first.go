package cases

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestCase72_StolenSessionSetsUp: a thief of a session set up a phone of their own
// before the owner had one (fxa-auth-server#2415; OWASP ASVS 5.0, 7.5.1). A session is
// all that the thief has: no password, and no code that was ever good for this account.
func TestCase72_StolenSessionSetsUp(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.AddressAlone, c.ReauthDisables = true, true })
	mallory := k.Enroll("mallory")
	was := k.Enroll("was enrolled")
	k.Must(k.Guard.Disable(t.Context(), "was enrolled", enrollment.ByCode(was.Code())))
	k.Begin("begun", enrollment.BeginOptions{}) // by the owner, who has left the page
	for _, user := range []string{"never", "begun", "was enrolled"} {
		before := k.Status(user)
		for name, c := range map[string]struct {
			proof enrollment.Proof
			want  enrollment.Reason
		}{
			"nothing":          {enrollment.Proof{}, enrollment.ReasonProofRequired},
			"a code":           {enrollment.ByCode(mallory.Code()), enrollment.ReasonProofNotAllowed},
			"an old code":      {enrollment.ByCode(was.Codes[0]), enrollment.ReasonProofNotAllowed},
			"a receipt":        {enrollment.ByReceipt(mallory.First.Receipt), enrollment.ReasonProofNotAllowed},
			"an old receipt":   {enrollment.ByReceipt(was.First.Receipt), enrollment.ReasonProofNotAllowed},
			"a made-up text":   {enrollment.ByReceipt(enrollment.ReceiptOf("x")), enrollment.ReasonProofNotAllowed},
			"an empty receipt": {enrollment.ByReceipt(enrollment.Receipt{}), enrollment.ReasonProofNotAllowed},
		} {
			_, err := k.Guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: "a", Proof: c.proof})
			if got := proving.ReasonOf(err); got != c.want {
				t.Errorf("%s, Begin by %s: %q, want %q", user, name, got, c.want)
			}
			_, err = k.Guard.Messages().Bind(t.Context(), user, enrollment.BindOptions{Channel: "sms", To: "+15550100", Proof: c.proof})
			if got := proving.ReasonOf(err); got != c.want {
				t.Errorf("%s, Bind by %s: %q, want %q", user, name, got, c.want)
			}
		}
		if k.Inbox.Len() > 0 {
			t.Fatal("a message was sent without a proof")
		}
		after := k.Status(user)
		if after.State != before.State || !after.SetupExpires.Equal(before.SetupExpires) {
			t.Errorf("%s: %v until %v became %v until %v", user, before.State, before.SetupExpires, after.State, after.SetupExpires)
		}
	}
	if s := k.Status("never"); s.State != store.None {
		t.Errorf("what was denied has left a record: %v", s.State)
	}
}
