package features

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// R4: the codes are shown after the verification, also to a user who clicks twice.
func TestFeatureR4_ShownAfterASecondClick(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), _ int) {
		k := proving.Over(t, open(t), scheme)
		setup, app := k.Begin("alice", enrollment.BeginOptions{})
		code := k.Code(app)
		first, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, code)
		k.Must(err)
		_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, code)
		proving.Want(t, err, enrollment.ReasonAlreadyConfirmed)
		codes, err := k.Guard.SetupCodes(t.Context(), "alice", setup.Token)
		if err != nil || !slices.Equal(codes.Reveal(), first.Codes.Reveal()) {
			t.Errorf("%d codes are shown again, %v", codes.Len(), err)
		}
		k.In(k.Challenge("alice"), codes.Reveal()[0])
		_, err = k.Guard.SetupCodes(t.Context(), "alice", setup.Token)
		proving.Want(t, err, enrollment.ReasonCodesNotKept)
	})
}

// A5: new codes replace the old ones once, however often the form is sent.
func TestFeatureA5_FormSentTwice(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), _ int) {
		k := proving.Over(t, open(t), scheme)
		alice := k.Enroll("alice")
		k.Pass(time.Minute)
		token, err := k.Guard.PrepareRenewal(t.Context(), "alice")
		k.Must(err)
		proof := enrollment.ByCode(alice.Code())
		first, err := k.Guard.RenewCodesOnce(t.Context(), "alice", token, proof)
		k.Must(err)
		_, err = k.Guard.RenewCodesOnce(t.Context(), "alice", token, proof)
		proving.Want(t, err, enrollment.ReasonAlreadyRenewed)
		codes, err := k.Guard.RenewalCodes(t.Context(), "alice", token)
		if err != nil || !slices.Equal(codes.Reveal(), first.Codes.Reveal()) {
			t.Errorf("%d codes are shown again, %v", codes.Len(), err)
		}
	})
}
