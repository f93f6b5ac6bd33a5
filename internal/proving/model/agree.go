package model

import (
	"maps"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Options say which sequences are run.
type Options struct {
	First     uint64 // the seed of the first sequence; each has the next one
	Sequences int
	Steps     int  // how many operations a sequence has
	Complete  bool // whether every outcome has to come about
	Tally     bool // whether to print how often each operation ended how
}

// Agree runs random sequences of operations, each on a store of its own.
func Agree(t *testing.T, open proving.Open, o Options) {
	t.Helper()
	tally := map[string]int{}
	for seed := o.First; seed < o.First+uint64(o.Sequences); seed++ {
		r := newModelRun(t, open, seed)
		if !r.chance(3) {
			r.enroll(r.users[0])
		}
		for range o.Steps {
			r.step()
		}
		r.finish()
		for k, n := range r.tally {
			tally[k] += n
		}
	}
	if o.Tally {
		for _, k := range slices.Sorted(maps.Keys(tally)) {
			t.Logf("%8d %s", tally[k], k)
		}
	}
	if !o.Complete {
		return
	}
	// A sequence that never gets anywhere proves nothing.
	for _, k := range []string{
		"Answer: yes", "Answer: replayed", "Answer: wrong_code", "Answer: locked", "Answer: challenge_spent",
		"Answer: challenge_void", "Answer: challenge_expired", "Answer: challenge_invalid", "Verify: factor_disabled",
		"AnswerThree: yes", "AnswerThree: wrong_code", "AnswerThree: replayed", "VerifyThree: yes", "VerifyThree: replayed", "VerifyThree: malformed_code", "Three: elsewhen",
		"Begin: enroll_token_invalid", "Bind: enroll_token_invalid", "Confirm: completes sign_in", "Confirm: completes password-reset", "EnrollingUser: true", "EnrollingUser: false",
		"Begin: yes", "Begin: too_many_authenticators", "Begin: proof_stale", "Begin: proof_invalid", "Begin: proof_required",
		"Begin: proof_not_allowed", "Confirm: yes", "Confirm: clock_skew", "Confirm: setup_superseded", "Confirm: locked",
		"Cancel: yes", "Disable: yes", "Disable: proof_not_allowed", "Remove: yes", "Remove: last_authenticator",
		"Confirm: already_confirmed", "ConfirmAddress: already_confirmed", "SetupCodes: yes", "SetupCodes: codes_not_kept",
		"RenewCodes: already_renewed", "RenewCodes: renewal_invalid", "RenewalCodes: yes", "RenewalCodes: codes_not_kept", "NewCode: yes", "NewCode: codes_not_kept", "NewCode: challenge_expired",
		"RenewCodes: yes", "RenewCodes: too_many_code_sets", "Resume: yes", "Resume: setup_superseded", "Resume: setup_expired",
		"SignIn: proceed trusted_device false", "SignIn: proceed bypass true", "SignIn: proceed  true", "SignIn: must_enroll  false", "SignIn: refuse  false",
		"SignIn moves in: true ", "SignIn moves in: false already_enrolled", "SignIn moves in: false was_enrolled", "Trust: yes", "Trust: trust_not_allowed", "Import: too_many_authenticators", "Trust: proof_stale", "Trust: proof_invalid", "Revoke: yes", "Recent: yes", "Recent: proof_stale", "Recent: proof_invalid",
		"Bind: yes", "Bind: too_many_messages", "Bind: too_soon", "Bind: no_authenticator", "Bind: locked", "Bind: ticket_required", "Bind: proof_not_allowed", "ConfirmAddress: yes",
		"ConfirmAddress: no_setup", "ConfirmAddress: wrong_code", "Send: yes", "Send: earlier", "Send: no_address", "Send: same_channel", "Send: locked",
		"Send: factor_disabled", "Send: too_many_messages", "Send: too_soon", "Unbind: yes", "Unbind: last_authenticator", "Begin: ticket_required",
		"Begin: ticket_invalid", "Codes: yes", "Codes: codes_not_kept", "Codes: proof_not_allowed", "Reset: yes", "Reset: own_account",
		"ApproveReset: yes", "ApproveReset: reset_waiting", "ApproveReset: owner_not_told", "RefuseReset: yes", "Unlock: yes", "Bypass: yes", "Bypass: invalid_bypass",
		"Erase: yes", "Erase: not told", "ApproveReset: not told", "Reset: heard late", "SignIn: repaired", "Others: budget",
		"Bind: locked with nothing set up", "Import: yes", "Import: was_enrolled", "Import: already_enrolled", "Import: duplicate_secret", "Import: short_secret", "Answer: must_replace", "Short: replaced", "Short: a trusted device spares no code", "Export: yes", "Move: yes", "Move: not_enrolled", "Move: user_id_taken", "Move: own_account", "RequestReset: yes",
		"RequestReset: too_many_resets", "CancelReset: yes", "Confirm: too_many_code_sets", "Sweep: expired", "Sweep: lapsed", "Sweep: waiting",
		"Sweep: reminded", "Sweep: matured", "Sweep: completed", "Sweep: delivered", "Sweep: undelivered", "Reseal: 2",
		"Event: wrong_codes", "Event: right_after_wrong", "Swept event: wrong_codes", "Swept event: right_after_wrong", "Disable: alert",
		"Begin: duplicate_secret", "Confirm: guess at a hardware token", "Confirm: forgiven",
		"Resynchronize: yes", "Resynchronize: replayed", "Resynchronize: wrong_code", "Resynchronize: unknown_authenticator", "Resynchronize: proof_required",
	} {
		if tally[k] == 0 {
			t.Errorf("no sequence came to %q", k)
		}
	}
}
