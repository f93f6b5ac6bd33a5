package enrollment_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// What is sent to clients, to the letter.
func TestJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	later := at.Add(time.Hour).Truncate(time.Second)
	event := enrollment.Event{
		ID: "e1", UserID: "alice", Kind: enrollment.EventReset, At: at, Factor: enrollment.FactorTOTP, Name: "phone",
		Method: "password", Actor: "root", Note: "phone lost", Count: 1,
	}
	reset := enrollment.ResetRequest{Asked: at, Matures: later}
	address := enrollment.Address{Channel: "sms", Hint: "…42", Added: at, Used: later}
	success := enrollment.Success{UserID: "alice", Purpose: enrollment.PurposeSignIn, Factor: enrollment.FactorRecovery, At: at, Receipt: enrollment.ReceiptOf("r"), Stamp: "s", CodesLeft: 9}
	const successJSON = `{"user_id":"alice","purpose":"sign_in","factor":"recovery","at":"2026-01-02T03:04:05.000006Z","receipt":"r","stamp":"s","codes_left":9}`
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"a refusal": {enrollment.Decision{}, `{"next":"refuse"}`},
		"a decision to ask": {enrollment.Decision{
			Next: enrollment.AskCode, Challenge: enrollment.ChallengeOf("c"), Expires: later, Factors: []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorRecovery},
		}, `{"next":"ask_code","challenge":"c","expires":"2026-01-02T04:04:05Z","factors":["totp","recovery"]}`},
		"a decision to proceed": {enrollment.Decision{
			Next: enrollment.Proceed, Waived: enrollment.FactorTrustedDevice, EnrollBy: later, Stamp: "s",
		}, `{"next":"proceed","waived":"trusted_device","enroll_by":"2026-01-02T04:04:05Z","stamp":"s"}`},
		"a decision to enroll": {&enrollment.Decision{Next: enrollment.MustEnroll}, `{"next":"must_enroll"}`},
		"a success":            {success, successJSON},
		"a success by an app": {enrollment.Success{
			UserID: "alice", Purpose: "delete", Factor: enrollment.FactorTOTP, Authenticator: "a1", At: later, Receipt: enrollment.ReceiptOf("r"),
		}, `{"user_id":"alice","purpose":"delete","factor":"totp","authenticator":"a1","at":"2026-01-02T04:04:05Z","receipt":"r","codes_left":0}`},
		"a success of a slow phone": {enrollment.Success{
			UserID: "alice", Purpose: "delete", Factor: enrollment.FactorTOTP, Authenticator: "a1", At: later, Receipt: enrollment.ReceiptOf("r"), Drift: -30 * time.Second,
		}, `{"user_id":"alice","purpose":"delete","factor":"totp","authenticator":"a1","at":"2026-01-02T04:04:05Z","receipt":"r","codes_left":0,"drift_seconds":-30}`},
		"a confirmation": {enrollment.Confirmed{Success: success, Event: enrollment.EventAuthenticatorAdded}, `{"success":` + successJSON + `,"event":"authenticator_added"}`},
		"a status of nothing": {enrollment.Status{State: store.None, Authenticators: []enrollment.Authenticator{}, Locks: []enrollment.Lock{}},
			`{"state":"none","authenticators":[],"codes_left":0,"codes_total":0,"devices":0,"must_enroll":false,"locks":[],"history":[]}`},
		"a full status": {enrollment.Status{
			State: store.Confirmed, Stamp: "s", Authenticators: []enrollment.Authenticator{{ID: "a1", Name: "phone", Added: at, Used: later, Digits: 6}, {ID: "a2", Name: "token", Added: at, Digits: 8, HardwareToken: true}},
			SetupExpires: later, Address: &address, CodesLeft: 9, CodesTotal: 10, Devices: 2, BypassUntil: later, MustEnroll: true, Reset: &reset,
			Locks: []enrollment.Lock{{Factor: enrollment.FactorTOTP, Until: later}, {Factor: enrollment.FactorDelivered}},
			Changes: []enrollment.Change{
				{Kind: enrollment.ChangeRemove, Codes: []enrollment.Factor{enrollment.FactorTOTP}, Receipts: []enrollment.Factor{enrollment.FactorRecovery}, Reauth: true},
				{Kind: enrollment.ChangeBegin, Ticket: true},
			},
			NextMessage: later, LastSignIn: later, LastFactor: enrollment.FactorBypass, History: enrollment.History{event},
		}, `{"state":"confirmed","stamp":"s","authenticators":[{"id":"a1","name":"phone","added":"2026-01-02T03:04:05.000006Z","used":"2026-01-02T04:04:05Z","digits":6},` +
			`{"id":"a2","name":"token","added":"2026-01-02T03:04:05.000006Z","digits":8,"hardware_token":true}],"setup_expires":"2026-01-02T04:04:05Z",` +
			`"address":{"channel":"sms","hint":"…42","added":"2026-01-02T03:04:05.000006Z","used":"2026-01-02T04:04:05Z"},` +
			`"codes_left":9,"codes_total":10,"devices":2,"bypass_until":"2026-01-02T04:04:05Z","must_enroll":true,` +
			`"reset":{"asked":"2026-01-02T03:04:05.000006Z","matures":"2026-01-02T04:04:05Z"},` +
			`"locks":[{"factor":"totp","until":"2026-01-02T04:04:05Z"},{"factor":"delivered"}],` +
			`"changes":[{"kind":"remove","codes":["totp"],"receipts":["recovery"],"reauth":true},{"kind":"begin","ticket":true}],"next_message":"2026-01-02T04:04:05Z",` +
			`"last_sign_in":"2026-01-02T04:04:05Z","last_factor":"bypass","history":[` +
			`{"id":"e1","user_id":"alice","kind":"reset","at":"2026-01-02T03:04:05.000006Z","factor":"totp","name":"phone","method":"password","note":"phone lost","count":1}]}`},
		"an address not used": {enrollment.Address{Channel: "email", Hint: "a…@example.com", Added: at}, `{"channel":"email","hint":"a…@example.com","added":"2026-01-02T03:04:05.000006Z"}`},
		"a device":            {enrollment.Device{ID: "d1", Name: "Firefox", Added: at, Expires: later}, `{"id":"d1","name":"Firefox","added":"2026-01-02T03:04:05.000006Z","expires":"2026-01-02T04:04:05Z"}`},
		"a device in use":     {enrollment.Device{ID: "d1", Name: "Firefox", Added: at, Expires: later, Used: later}, `{"id":"d1","name":"Firefox","added":"2026-01-02T03:04:05.000006Z","expires":"2026-01-02T04:04:05Z","used":"2026-01-02T04:04:05Z"}`},
		"a trusted device": {enrollment.TrustedDevice{Token: enrollment.DeviceTokenOf("t"), Device: enrollment.Device{ID: "d1", Name: "Firefox", Added: at, Expires: later}},
			`{"token":"t","device":{"id":"d1","name":"Firefox","added":"2026-01-02T03:04:05.000006Z","expires":"2026-01-02T04:04:05Z"}}`},
		"a device that was trusted before": {enrollment.TrustedDevice{Device: enrollment.Device{ID: "d1", Added: later, Expires: later}},
			`{"device":{"id":"d1","name":"","added":"2026-01-02T04:04:05Z","expires":"2026-01-02T04:04:05Z"}}`},
		"a replacement": {enrollment.Replacement{UserID: "alice", Purpose: enrollment.PurposeSignIn, Authenticator: "a1", EnrollToken: enrollment.EnrollTokenOf("t")},
			`{"user_id":"alice","purpose":"sign_in","authenticator":"a1","enroll_token":"t"}`},
		"a denial with a replacement": {&enrollment.Denied{Reason: enrollment.ReasonMustReplace, Replace: &enrollment.Replacement{UserID: "alice", EnrollToken: enrollment.EnrollTokenOf("t")}}, `{"reason":"must_replace"}`},
		"renewed codes that are shown later": {struct {
			enrollment.RenewedCodes
			Codes []string `json:"codes"`
		}{enrollment.RenewedCodes{Receipt: enrollment.ReceiptOf("r"), Stamp: "s"}, []string{}}, `{"receipt":"r","stamp":"s","codes":[]}`},
		"a binding": {enrollment.Binding{Token: enrollment.SetupTokenOf("t"), Expires: later}, `{"token":"t","expires":"2026-01-02T04:04:05Z"}`},
		"a delivery": {enrollment.Delivery{Challenge: enrollment.ChallengeOf("c"), Earlier: true, Sent: later, Expires: later, Address: enrollment.Address{Channel: "sms", Hint: "…42", Added: later}},
			`{"challenge":"c","earlier":true,"sent":"2026-01-02T04:04:05Z","expires":"2026-01-02T04:04:05Z","address":{"channel":"sms","hint":"…42","added":"2026-01-02T04:04:05Z"}}`},
		"a member":                     {enrollment.Member{UserID: "alice", Status: enrollment.Status{State: store.Disabled}}, `{"user_id":"alice","status":{"state":"disabled","authenticators":null,"codes_left":0,"codes_total":0,"devices":0,"must_enroll":false,"locks":null,"history":[]}}`},
		"an unreadable member":         {enrollment.Member{UserID: "alice"}, `{"user_id":"alice"}`},
		"an event":                     {enrollment.Event{ID: "e1", UserID: "alice", Kind: enrollment.EventEnabled, At: later, Count: 2}, `{"id":"e1","user_id":"alice","kind":"enabled","at":"2026-01-02T04:04:05Z","count":2}`},
		"events to administrators":     {[]enrollment.Event(enrollment.History{{ID: "e1", Kind: enrollment.EventUnlocked, At: later, Actor: "root"}}), `[{"id":"e1","user_id":"","kind":"unlocked","at":"2026-01-02T04:04:05Z","actor":"root","count":0}]`},
		"a denial":                     {enrollment.Denied{Reason: enrollment.ReasonNoSetup}, `{"reason":"no_setup"}`},
		"a lock":                       {&enrollment.Denied{Reason: enrollment.ReasonLocked, Factor: enrollment.FactorTOTP, RetryAt: later}, `{"reason":"locked","factor":"totp","retry_at":"2026-01-02T04:04:05Z"}`},
		"a lock that three codes open": {&enrollment.Denied{Reason: enrollment.ReasonFactorDisabled, Factor: enrollment.FactorTOTP, ThreeCodes: true}, `{"reason":"factor_disabled","factor":"totp","three_codes":true}`},
		"a decision to ask for eight":  {enrollment.Decision{Next: enrollment.AskCode, Digits: 8}, `{"next":"ask_code","digits":8}`},
		"a decision to ask for three":  {enrollment.Decision{Next: enrollment.AskCode, ThreeCodes: true}, `{"next":"ask_code","three_codes":true}`},
		"a wait":                       {&enrollment.Denied{Reason: enrollment.ReasonLocked, RetryAt: later, Wait: time.Minute}, `{"reason":"locked","retry_at":"2026-01-02T04:04:05Z","wait_seconds":60}`},
		"a clock that is off":          {enrollment.Denied{Reason: enrollment.ReasonClockSkew, Factor: enrollment.FactorTOTP, Skew: -4 * time.Minute}, `{"reason":"clock_skew","factor":"totp","skew_seconds":-240}`},
	} {
		got, err := json.Marshal(c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%s is\n%s, %v, want\n%s", name, got, err, c.want)
		}
	}
}

// An account that has nothing has lists all the same, and so have users without
// a record.
func TestJSONHasLists(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	dir, err := enrollment.NewDirectory(k.Guard, k.Store)
	if err != nil {
		t.Fatal(err)
	}
	status, err := k.Guard.Status(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := dir.Statuses(t.Context(), []string{"alice"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []enrollment.Status{status, statuses["alice"]} {
		if text, err := json.Marshal(s); err != nil || strings.Contains(string(text), "null") {
			t.Errorf("%s, %v", text, err)
		}
	}
}

// An event that waits in the host's queue as JSON comes back as it was.
func TestEventFromJSON(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	if err := k.Guard.Admin("root", "phone lost").Unlock(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if err := k.Guard.Admin("root", "phone lost").Bypass(t.Context(), "alice", k.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	events := k.Events()
	text, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	var back []enrollment.Event
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, events) || len(back) != 2 || back[1].Actor != "root" {
		t.Errorf("%+v, %v, want %+v", back, err, events)
	}
}

// Next is a word in both directions. What is none is refused.
func TestNextText(t *testing.T) {
	t.Parallel()
	for next, word := range map[enrollment.Next]string{
		enrollment.Refuse: "refuse", enrollment.Proceed: "proceed", enrollment.AskCode: "ask_code", enrollment.MustEnroll: "must_enroll",
	} {
		text, err := next.MarshalText()
		back := enrollment.Proceed
		if err != nil || string(text) != word || next.String() != word || back.UnmarshalText(text) != nil || back != next {
			t.Errorf("%v became %q, %v, and %v again", next, text, err, back)
		}
	}
	for _, word := range []string{"", "Proceed", "proceed ", "ask code", "Next(7)", "1"} {
		back := enrollment.Proceed
		if err := back.UnmarshalText([]byte(word)); err == nil || back != enrollment.Refuse {
			t.Errorf("%q became %v, %v", word, back, err)
		}
	}
	var d enrollment.Decision
	if err := json.Unmarshal([]byte(`{"next":1}`), &d); err == nil || d.Next != enrollment.Refuse {
		t.Errorf("a number became %v, %v", d.Next, err)
	}
	if text, err := enrollment.Next(7).MarshalText(); err == nil {
		t.Errorf("Next(7) became %q", text)
	}
}

// Recovery codes are not encoded by accident. A host that sends them says so,
// and keeps what else is in the answer.
func TestCodesAreSentOnPurpose(t *testing.T) {
	t.Parallel()
	code, err := recovery.ParseCode("AAAA-BBBB-CCCC-DDDD")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := recovery.Generate(strings.NewReader(strings.Repeat("0123456789abcdef", 100)), 8, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	confirmed := enrollment.Confirmed{Event: enrollment.EventEnabled, Codes: codes}
	for _, x := range []any{confirmed, enrollment.RenewedCodes{Codes: codes}, enrollment.Success{NewCode: code}} {
		if text, err := json.Marshal(x); err == nil {
			t.Errorf("%T is encoded as %s", x, text)
		}
	}
	text, err := json.Marshal(struct {
		enrollment.Confirmed
		Codes []string `json:"codes"`
	}{confirmed, confirmed.Codes.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Event enrollment.EventKind
		Codes []string
	}
	if err := json.Unmarshal(text, &sent); err != nil || sent.Event != enrollment.EventEnabled || !reflect.DeepEqual(sent.Codes, codes.Reveal()) {
		t.Errorf("%s, %v", text, err)
	}
}
