package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestCase21_DeliveredCodesAreUniform: codes were drawn with a bias.
func TestCase21_DeliveredCodesAreUniform(t *testing.T, open proving.Open) {
	const n = 3000
	k := proving.Over(t, open(t), proving.AddressAlone)
	p := k.Post()
	var count [6][10]int
	for i := range n {
		if _, err := p.Begin(fmt.Sprint("user-", i), enrollment.ByReauth("password")); err != nil {
			t.Fatal(err)
		}
		code := p.Inbox.Code()
		if len(code) != 6 {
			t.Fatalf("a code of %d digits", len(code))
		}
		for place, r := range code {
			count[place][r-'0']++
		}
	}
	for place, digits := range count {
		for digit, times := range digits {
			if times < n/10-100 || times > n/10+100 { // six standard deviations
				t.Errorf("digit %d comes %d times at place %d", digit, times, place)
			}
		}
	}
}

// TestCase31_StatusShowsNoAddress: the status says where codes go as far as the
// owner has to know.
func TestCase31_StatusShowsNoAddress(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), proving.AddressAlone)
	p := k.Post()
	p.Bound("alice", enrollment.ByReauth("password"))
	s := k.Status("alice")
	for i := range s.History {
		s.History[i].ID = "" // its digits could be the number's
	}
	j, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "s", s, "a", *s.Address)
	_, said, _ := strings.Cut(logged.String(), `"msg"`) // the digits of the time could be the number's
	for _, text := range []string{string(j), said, fmt.Sprintf("%+v %+v", s, *s.Address)} {
		if strings.Contains(text, proving.Phone[1:]) || strings.Contains(text, "4123") || !strings.Contains(text, "…67") {
			t.Errorf("the status shows %s", text)
		}
	}
}

// TestCase55_Message: whatever a host does with a message, the code does not
// show.
func TestCase55_Message(t *testing.T, open proving.Open) {
	var logged bytes.Buffer
	k := proving.Over(t, open(t), proving.AddressAlone, func(c *enrollment.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "id" { // their digits could be anybody's code
					return slog.Attr{}
				}
				return a
			},
		}))
	})
	p := k.Post()
	p.Bound("alice", enrollment.ByReauth("password"))
	d := p.Deliver(k.Challenge("alice"))
	m := p.Inbox.Last()
	proving.Want(t, answer(k, d.Challenge, p.Inbox.Wrong()), enrollment.ReasonWrongCode)
	proving.Want(t, answer(k, d.Challenge, m.Code()), "")
	code := m.Code()
	canaries := []string{code, fmt.Sprintf("%x", code), fmt.Sprintf("%X", code), strings.Trim(fmt.Sprint([]byte(code)), "[]")}
	type host struct {
		m enrollment.Message
		p *enrollment.Message
	}
	m.Expires = time.Time{} // its digits could be the code's
	h := host{m, &m}
	for _, x := range []any{m, &m, h, &h, []host{h}, map[string]host{"x": h}, p.Messages, []enrollment.Message{m}} {
		texts := make(map[string]string)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%b", "%e", "%U"} {
			texts[verb] = fmt.Sprintf(verb, x)
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
		_, texts["slog"], _ = strings.Cut(b.String(), "msg=")
		if j, err := json.Marshal(x); err == nil {
			texts["json"] = string(j)
		}
		for how, text := range texts {
			if how == "%#v" || how == "%p" || strings.Contains(text, "0x") {
				continue // addresses in memory have digits of their own
			}
			for i, c := range canaries {
				if strings.Contains(text, c) {
					t.Errorf("%s of %T shows canary %d: %s", how, x, i, text)
				}
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s %d", m, m, m, &m, m); strings.Contains(text, proving.Phone) || strings.Count(text, "redacted") != 5 {
		t.Errorf("a message shows as %s", text)
	}
	if j, err := json.Marshal(m); err == nil {
		t.Errorf("a message marshals: %s", j)
	}
	if !strings.Contains(m.String(), "redacted") || m.GoString() != m.String() || m.LogValue().String() != m.String() {
		t.Errorf("a message shows as %q", m.String())
	}
	if (enrollment.Message{}).Code() != "" {
		t.Error("the zero message has a code")
	}
	if text := logged.String(); strings.Count(text, "\n") < 6 || strings.Contains(text, code) || strings.Contains(text, proving.Phone) {
		t.Errorf("the log says\n%s", text)
	}
}
