package interleave

import (
	"maps"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// walked are the rows of the table of states, each with the operations of scenes that carry
// it out.
var walked = map[string][]operation{
	"Begin":                    {beginFirst, beginDemanded, begin, beginByCode},
	"Begin+Replace":            {replaceSecond},
	"Begin+HardwareToken":      {beginToken},
	"Confirm":                  {confirm, confirmWrong},
	"Cancel":                   {cancel},
	"SignIn":                   {signIn, signInByDevice, elsewhere(signIn)},
	"SignIn+Import":            {signInImport},
	"Answer":                   {answerApp, answerRecovery, answerMessage, answerWrongMessage, elsewhere(answerApp)},
	"Verify":                   {verifyApp, verifyWrong, verifyRecovery, verifySecondRecovery, verifyWrongRecovery},
	"RenewCodes":               {renew},
	"RenewCodesOnce":           {renewOnce},
	"SetupCodes":               {setupCodes},
	"RenewalCodes":             {renewalCodes},
	"RecoveryCodes":            {showCodes},
	"Remove":                   {remove, removeToken},
	"Disable":                  {disable},
	"Rename":                   {rename},
	"ThreeCodes.Answer":        {answerThree, answerNear},
	"ThreeCodes.Verify":        {verifyThree, verifyNear},
	"ThreeCodes.Resynchronize": {resynchronize, resynchronizeNear, resynchronizeByCode},
	"Devices.Trust":            {trust},
	"Devices.Rename":           {renameDevice},
	"Devices.Revoke":           {revoke},
	"Devices.RevokeAll":        {revokeAll},
	"Messages.Bind":            {bind},
	"Messages.Confirm":         {confirmAddress, confirmWrongAddress},
	"Messages.Send":            {send},
	"Messages.Unbind":          {unbind},
	"ResetRequests.Open":       {ask},
	"ResetRequests.Cancel":     {cancelReset},
	"Admin.Reset":              {reset},
	"Admin.ApproveReset":       {approveReset},
	"Admin.RefuseReset":        {refuseReset},
	"Admin.Unlock":             {unlock},
	"Admin.Bypass":             {bypass},
	"Admin.Import":             {takeOver},
	"Admin.Export":             {export},
	"Admin.Erase":              {erase},
	"Admin.Move":               {move, moveApart, moveBack, moveOther, moveIn},
}

// unwalked are the rows that no scene has, and why.
var unwalked = map[string]string{
	"Resume":           "it writes nothing",
	"RecentlyVerified": "it writes nothing",
	"PrepareRenewal":   "it writes nothing",
	"Status":           "it writes nothing",
	"Devices.List":     "it writes nothing",
	"NewCode":          "it writes nothing",
}

// Each row of the table of states is in a scene, or is known not to be.
func TestOperationsAreInScenes(t *testing.T) {
	in := make(map[string]bool)
	for _, s := range scenes() {
		for _, op := range slices.Concat(s.core, s.others, s.beside) {
			in[op.name] = true
		}
		for _, op := range s.short {
			if !slices.ContainsFunc(slices.Concat(s.core, s.others), func(o operation) bool { return o.name == op.name }) {
				t.Errorf("%s: %s is walked by three alone", s.state, op.name)
			}
		}
	}
	for _, row := range states.Operations() {
		if (len(walked[row]) > 0) == (unwalked[row] != "") {
			t.Errorf("%s: it is either in a scene, or there is a reason why not", row)
		}
		for _, op := range walked[row] {
			if !in[op.name] {
				t.Errorf("%s: no scene has %q", row, op.name)
			}
		}
	}
	if n := len(walked) + len(unwalked); n != len(states.Operations()) {
		t.Errorf("%d rows are known of %d in %q", n, len(states.Operations()), slices.Sorted(maps.Keys(walked)))
	}
}

// Each row is carried out in a scene to which it belongs: a walk in which it is refused says
// little.
func TestOperationsAreCarriedOut(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	done, refused := make(map[string]bool), make(map[string][]string) // by their names
	for _, s := range append(fromStates(), busyScene()) {
		from := states.New(t, s.state, recovery.Fast)
		for _, op := range slices.Concat(s.core, s.others) {
			r := newRig(t, proving.Memory, nil, from, s, []operation{op}, newNotes())
			if got := r.inOrder([]turn{{0, op.parts + 1}}, nil).results[0]; got.reason == "" {
				done[op.name] = true
			} else {
				refused[s.state] = append(refused[s.state], op.name)
			}
		}
	}
	for row, ops := range walked {
		after := row == "RenewalCodes" || row == "Admin.Move" // an operation beside it; scenes of its own
		if !after && !slices.ContainsFunc(ops, func(op operation) bool { return done[op.name] }) {
			t.Errorf("%s is carried out in no scene", row)
		}
	}
	if want := []string{verifyWrong.name, verifyNear.name, renewalCodes.name, confirmWrongAddress.name, takeOver.name}; !slices.Equal(refused["busy"], want) {
		t.Errorf("the busy scene refuses %q, want %q", refused["busy"], want)
	}
}
