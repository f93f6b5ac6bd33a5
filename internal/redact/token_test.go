package redact_test

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

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

const tokenText = `CANARY-_<&>"x`

// session is a struct of a host that keeps tokens and encodes them.
type session struct {
	User    string `xml:"user,attr"`
	Attr    redact.Token
	Element redact.Token
	Pointer *redact.Token
	List    []redact.Token
	Zero    redact.Token
	Absent  redact.Token `json:",omitzero" xml:",omitempty"`
}

func newSession() session {
	t := redact.TokenOf(tokenText)
	return session{User: "alice", Attr: t, Element: t, Pointer: &t, List: []redact.Token{t, {}, t}}
}

func TestTokenTravels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		travel func(from, to *session) (encoded []byte, err error)
	}{
		{"JSON", func(from, to *session) ([]byte, error) {
			b, err := json.Marshal(from)
			if err != nil {
				return nil, err
			}
			return b, json.Unmarshal(b, to)
		}},
		{"XML", func(from, to *session) ([]byte, error) {
			b, err := xml.Marshal(from)
			if err != nil {
				return nil, err
			}
			return b, xml.Unmarshal(b, to)
		}},
		{"gob", func(from, to *session) ([]byte, error) {
			var b bytes.Buffer
			if err := gob.NewEncoder(&b).Encode(from); err != nil {
				return nil, err
			}
			encoded := bytes.Clone(b.Bytes())
			return encoded, gob.NewDecoder(&b).Decode(to)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from, to := newSession(), session{}
			encoded, err := tt.travel(&from, &to)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(from, to) {
				t.Errorf("another session comes back from %s", encoded)
			}
			if bytes.Contains(encoded, []byte(redact.Placeholder)) {
				t.Errorf("a placeholder travels: %s", encoded)
			}
		})
	}
}

func TestTokenAsField(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(struct {
		T redact.Token
		P *redact.Token
	}{T: redact.TokenOf("abc")})
	if want := `{"T":"abc","P":null}`; err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
	var attribute struct {
		T redact.Token `xml:"t,attr"`
	}
	if err := xml.Unmarshal([]byte(`<x t="abc"/>`), &attribute); err != nil || attribute.T.Reveal() != "abc" {
		t.Errorf("the attribute is %q, %v", attribute.T.Reveal(), err)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	token, zero := redact.TokenOf(tokenText), redact.TokenOf("")
	if token.Reveal() != tokenText || token.IsZero() || zero.Reveal() != "" || !zero.IsZero() {
		t.Error("a token has another text than it was made of")
	}
	if !reflect.DeepEqual(zero, redact.Token{}) || reflect.TypeOf(zero).Comparable() {
		t.Error("the token of no text is not the zero Token, or tokens compare by address")
	}
	text := []byte("before")
	if err := token.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	copy(text, "after!")
	if token.Reveal() != "before" {
		t.Error("a token shares the bytes that it was decoded from")
	}
}

func TestTokenPrints(t *testing.T) {
	t.Parallel()
	token := redact.TokenOf(tokenText)
	type host struct{ t redact.Token }
	texts := []string{token.String(), token.GoString(), token.LogValue().String()}
	for _, verb := range "vsqxXdobtUceEfFgGpTw" {
		for _, x := range []any{token, &token, host{token}, []redact.Token{token}, newSession()} {
			texts = append(texts, fmt.Sprintf("%"+string(verb), x), fmt.Sprintf("%+"+string(verb), x), fmt.Sprintf("%#"+string(verb), x))
		}
	}
	var b strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("message", "token", token, "pointer", &token, slog.Group("group", "token", token))
	}
	for _, text := range append(texts, b.String()) {
		for _, canary := range []string{"CANARY", "43414e415259", "43414E415259", "67 65 78"} {
			if strings.Contains(text, canary) {
				t.Errorf("it shows: %s", text)
			}
		}
	}
	if got := fmt.Sprintf("%v %s %d", token, token, []redact.Token{token}); got != "[redacted] [redacted] [[redacted]]" {
		t.Errorf("tokens print as %s", got)
	}
}
