package enrollment_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A clock that was ahead ends sessions once it is right again, if it was so by twelve
// minutes or more and the account was used by it ten minutes after a challenge. Below
// that, nothing is void.
func TestStampAfterAClockAhead(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]bool{11 * time.Minute: false, 13 * time.Minute: true, 3 * time.Hour: true} {
		k := proving.New(t)
		u := k.Enroll("alice")
		k.Pass(time.Hour)
		device := u.Trust("laptop")
		k.Pass(time.Minute)
		before := k.Status("alice").Stamp

		k.Pass(ahead)
		if _, err := u.Answer(u.Code()); err != nil {
			t.Fatal(err)
		}
		k.Pass(enrollment.ChallengeTTL + time.Second)
		k.Must(k.Guard.Rename(t.Context(), "alice", k.Status("alice").Authenticators[0].ID, "phone"))
		k.Pass(-ahead)
		next := enrollment.Proceed
		if want {
			next = enrollment.AskCode
		}
		k.SignIn("alice", enrollment.SignInOptions{Device: device.Token}, next)
		if got := k.Status("alice").Stamp != before; got != want {
			t.Errorf("ahead by %v: the stamp has changed: %t", ahead, got)
		}
		if told := k.EventsOf("alice", enrollment.EventDevicesForgotten); len(told) > 0 {
			t.Errorf("ahead by %v: told %+v", ahead, told)
		}
	}
}
