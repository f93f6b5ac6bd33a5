package cases

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestCase19_ReplenishRace: one code, thirty callers, one new code.
func TestCase19_ReplenishRace(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), proving.ReplenishCodes)
	codes := k.Enroll("alice").Codes
	k.Told()
	fresh := make(chan string, 30)
	k.Store.Gather(30)
	got := proving.Together(30, func(int) error {
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[0])
		if !ok.NewCode.IsZero() {
			fresh <- ok.NewCode.Reveal()
		}
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 24 || len(fresh) != 1 {
		t.Fatalf("outcomes %v, %d new codes", got, len(fresh))
	}
	k.Pass(time.Minute)
	if ok, err := k.Guard.Verify(t.Context(), "alice", "x", <-fresh); err != nil || ok.CodesLeft != 10 {
		t.Errorf("the new code: %d left, %v", ok.CodesLeft, err)
	}
}

// TestCase32_KeptCodes: codes in clear are nowhere but where they are asked for.
func TestCase32_KeptCodes(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), proving.KeepCodes, proving.ReplenishCodes, proving.CodesAtSetup)
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %x", setup, setup, setup, setup)
	key := proving.KeyOf(t, setup)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
	if err != nil {
		t.Fatal(err)
	}
	codes := done.Codes.Reveal()
	ok, err := k.Answer(k.Challenge("alice"), codes[0])
	if err != nil {
		t.Fatal(err)
	}
	codes = append(codes, ok.NewCode.Reveal())
	k.Pass(time.Minute)
	if _, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key))); err != nil {
		t.Fatal(err)
	}
	status, err := json.Marshal(k.Status("alice"))
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(k.Told())
	if err != nil {
		t.Fatal(err)
	}
	text := printed + fmt.Sprintf("%v %+v %#v", done, ok, k.Status("alice")) + string(status) + string(told) + k.Log() + string(k.Record("alice").Data)
	for i, c := range codes {
		if strings.Contains(text, c) || strings.Contains(text, strings.ReplaceAll(c, "-", "")) {
			t.Errorf("code %d shows", i)
		}
	}
}

// TestCase49_ReplenishLostReply: the new code is not lost with the reply.
func TestCase49_ReplenishLostReply(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.Over(t, open(t), scheme, proving.ReplenishCodes)
		codes := k.Enroll("alice").Codes
		k.Told()
		k.Store.LoseReply(proving.Save)
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[0])
		if err != nil || ok.NewCode.IsZero() || ok.CodesLeft != count {
			t.Fatalf("%d codes left, %v", ok.CodesLeft, err)
		}
		if ok, err = k.Guard.Verify(t.Context(), "alice", "x", ok.NewCode.Reveal()); err != nil || ok.CodesLeft != count {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
	})
}

// TestCase49_SetupCodesLostReply: what was shown is what is valid, also when
// the reply to its confirmation is lost.
func TestCase49_SetupCodesLostReply(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), proving.CodesAtSetup)
	k.Store.LoseReply(proving.Save)
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	k.Store.LoseReply(proving.Save)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(proving.KeyOf(t, setup)))
	if err != nil || !slices.Equal(done.Codes.Reveal(), setup.Codes().Reveal()) {
		t.Fatal(err)
	}
	if _, err := k.Answer(k.Challenge("alice"), setup.Codes().Reveal()[9]); err != nil {
		t.Error(err)
	}
}
