package enrollment_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A session of a host keeps one of each.
type session struct {
	Challenge enrollment.Challenge   `json:"challenge"`
	Receipt   enrollment.Receipt     `json:"receipt,omitzero"`
	Setup     enrollment.SetupToken  `xml:"setup,attr"`
	Device    enrollment.DeviceToken `json:",omitzero"`
	Ticket    *enrollment.Ticket
	Enroll    enrollment.EnrollToken `json:",omitzero"`
}

const tokenLikeText = "AbC-123_x"

func newSession() session {
	ticket := enrollment.TicketOf(tokenLikeText + "5")
	return session{
		Challenge: enrollment.ChallengeOf(tokenLikeText + "1"),
		Receipt:   enrollment.ReceiptOf(tokenLikeText + "2"),
		Setup:     enrollment.SetupTokenOf(tokenLikeText + "3"),
		Device:    enrollment.DeviceTokenOf(tokenLikeText + "4"),
		Ticket:    &ticket,
		Enroll:    enrollment.EnrollTokenOf(tokenLikeText + "6"),
	}
}

// Tokens are encoded as their text, and come back.
func TestTokensTravel(t *testing.T) {
	t.Parallel()
	from := newSession()
	text, err := json.Marshal(from)
	if want := `{"challenge":"AbC-123_x1","receipt":"AbC-123_x2","Setup":"AbC-123_x3","Device":"AbC-123_x4","Ticket":"AbC-123_x5","Enroll":"AbC-123_x6"}`; err != nil || string(text) != want {
		t.Errorf("the JSON is %s, %v, want %s", text, err, want)
	}
	for name, travel := range map[string]func(to *session) error{
		"JSON": func(to *session) error { return json.Unmarshal(text, to) },
		"XML": func(to *session) error {
			b, err := xml.Marshal(from)
			if err != nil {
				return err
			}
			return xml.Unmarshal(b, to)
		},
		"gob": func(to *session) error {
			var b bytes.Buffer
			if err := gob.NewEncoder(&b).Encode(from); err != nil {
				return err
			}
			return gob.NewDecoder(&b).Decode(to)
		},
	} {
		var to session
		if err := travel(&to); err != nil || !reflect.DeepEqual(to, from) || to.Receipt.Reveal() != tokenLikeText+"2" {
			t.Errorf("through %s comes another session, %v", name, err)
		}
	}
	if text, err := json.Marshal(session{}); err != nil || string(text) != `{"challenge":"","Setup":"","Ticket":null}` {
		t.Errorf("the zero session is %s, %v", text, err)
	}
}

// None is taken for another one, or for a string.
func TestTokensAreNotSwapped(t *testing.T) {
	t.Parallel()
	all := []reflect.Type{
		reflect.TypeFor[string](), reflect.TypeFor[enrollment.Challenge](), reflect.TypeFor[enrollment.Receipt](),
		reflect.TypeFor[enrollment.SetupToken](), reflect.TypeFor[enrollment.DeviceToken](), reflect.TypeFor[enrollment.Ticket](),
		reflect.TypeFor[enrollment.RenewalToken](), reflect.TypeFor[enrollment.EnrollToken](),
	}
	for _, x := range all {
		for _, y := range all {
			if x.AssignableTo(y) != (x == y) {
				t.Errorf("%v goes for %v", x, y)
			}
		}
	}
}

// What tokens are in is logged without them, and with the rest.
func TestLoggedWithoutTokens(t *testing.T) {
	t.Parallel()
	s := newSession()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	code, err := recovery.ParseCode("AAAA-BBBB-CCCC-DDDD")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := recovery.Generate(strings.NewReader(strings.Repeat("0123456789abcdef", 100)), 8, recovery.Fast)
	if err != nil {
		t.Fatal(err)
	}
	success := enrollment.Success{UserID: "shown", Receipt: s.Receipt, NewCode: code, CodesLeft: 7}
	for _, c := range []struct {
		value any
		want  string // of it in the log
	}{
		{enrollment.Decision{Next: enrollment.AskCode, Challenge: s.Challenge}, `{"next":"ask_code"}`},
		{enrollment.Decision{Next: enrollment.MustEnroll, EnrollToken: s.Enroll}, `{"next":"must_enroll"}`},
		{success, `"user_id":"shown"`},
		{enrollment.Confirmed{Success: success, Codes: codes, Event: enrollment.EventEnabled}, `"event":"enabled"`},
		{enrollment.RenewedCodes{Codes: codes, Receipt: s.Receipt}, `"[redacted]"`},
		{enrollment.TrustedDevice{Token: s.Device, Device: enrollment.Device{Name: "shown"}}, `"name":"shown"`},
		{enrollment.Binding{Token: s.Setup, Expires: at}, `{"expires":"2026-01-02T03:04:05Z"}`},
		{enrollment.Delivery{Challenge: s.Challenge, Address: enrollment.Address{Hint: "shown"}}, `"hint":"shown"`},
		{enrollment.SignInOptions{Device: s.Device, Channel: "shown"}, `"Channel":"shown"`},
	} {
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("said", "x", c.value)
		text := b.String()
		slog.New(slog.NewTextHandler(&b, nil)).Info("said", "x", c.value)
		for _, secret := range append(codes.Reveal(), tokenLikeText, code.Reveal()) {
			if strings.Contains(b.String(), secret) || strings.Contains(fmt.Sprintf("%+v %s %#v", c.value, c.value, c.value), secret) {
				t.Errorf("%T shows a secret: %s", c.value, b.String())
			}
		}
		if !strings.Contains(text, c.want) || strings.Contains(text, "!ERROR") {
			t.Errorf("%T is logged as %s", c.value, text)
		}
	}
}
