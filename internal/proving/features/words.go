package features

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// N16: words for every reason and event in two languages, without a table of the
// host's own.
func TestFeatureN16_Words(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	challenge := k.Challenge("alice")
	for range 5 {
		k.Out(challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	}
	locked := k.Out(challenge, alice.Code(), enrollment.ReasonLocked)
	for l, want := range map[*wording.Language][2]string{
		wording.English(): {"Wait 1 minute", "Too many wrong codes were entered (authenticator app)"},
		wording.German():  {"Warten Sie 1 Minute", "zu viele falsche Codes eingegeben (Authenticator-App)"},
	} {
		answer := l.Describe(locked, k.Now())
		if answer.Status != http.StatusTooManyRequests || answer.RetryAfter() != "60" || !strings.Contains(answer.Text, want[0]) {
			t.Errorf("%s: %+v, want %q", l.Tag, answer, want[0])
		}
		for _, e := range k.EventsOf("alice", enrollment.EventLocked) {
			if mail := l.Mail(e, nil); !strings.Contains(mail.Text, want[1]) || mail.Subject == "" {
				t.Errorf("%s: %+v, want %q", l.Tag, mail, want[1])
			}
		}
	}
}
