package redact_test

import (
	"bytes"
	goencoding "encoding"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// A canary finds a secret in what printers and encoders make of it.
type canary struct {
	forms  []string       // in lower case
	digits *regexp.Regexp // of a short code, which could be part of an address in memory
}

func newCanary(secret string) (c canary) {
	b := []byte(secret)
	forms := []string{
		strings.Trim(fmt.Sprint(b), "[]"),
		strings.ReplaceAll(strings.Trim(fmt.Sprint(b), "[]"), " ", ","),
		strings.Trim(fmt.Sprintf("%o", b), "[]"),
		strings.Trim(fmt.Sprintf("%b", b), "[]"),
		strings.Trim(fmt.Sprintf("%c", b), "[]"),
		strings.Trim(fmt.Sprintf("%U", b), "[]"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
		strings.Trim(fmt.Sprintf("%q", secret), `"`),
		fmt.Sprintf("% x", b),
		hex.EncodeToString(b),
		base64.StdEncoding.EncodeToString(b)[:len(b)*4/3],
		secret,
	}
	if len(secret) < 8 {
		c.digits = regexp.MustCompile(`\b` + regexp.QuoteMeta(secret) + `\b`)
		forms = slices.DeleteFunc(forms, func(form string) bool { return form == secret })
	}
	for _, form := range forms {
		c.forms = append(c.forms, strings.ToLower(form))
	}
	return c
}

// find returns where the text shows the secret, or "".
func (c canary) find(text string) string {
	at := -1
	if c.digits != nil {
		if found := c.digits.FindStringIndex(text); found != nil {
			at = found[0]
		}
	}
	lower := strings.ToLower(text)
	for _, form := range c.forms {
		if at < 0 {
			at = strings.Index(lower, form)
		}
	}
	if at < 0 {
		return ""
	}
	return text[max(0, min(at, len(text))-100):min(at+100, len(text))]
}

func TestCanary(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"123456", "ABCD-EFGH-JKMN-PQRS", "\x00\x80\xff binary \x07"} {
		c := newCanary(secret)
		for _, verb := range []string{"%s", "%v", "%x", "%X", "% x", "% X", "%#v", "%d", "%q", "%o", "%b", "%c", "%U"} {
			for _, x := range []any{[]byte(secret), exported[[]byte]{[]byte(secret)}} {
				if text := fmt.Sprintf(verb, x); c.find(text) == "" {
					t.Errorf("%q is not found in %s", secret, text)
				}
			}
		}
	}
	if found := newCanary("123456").find("0xc000123456 91234567 [redacted]"); found != "" {
		t.Errorf("%s is found in an address", found)
	}
}

// TestCase55_NothingPrints gives every type that holds a secret to every
// printer and logger, by itself and in the fields of a host's struct.
func TestCase55_NothingPrints(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for form, x := range s.forms {
				s.find(t, form, printed(x))
				if s.encoding != travels {
					s.find(t, form, embedded(x))
				}
				// What travels is encoded with a struct of the host.
				if s.encoding != travels || form == "value" || form == "pointer" {
					s.find(t, form, loggedAsJSON(x))
				}
			}
		})
	}
}

// find fails the test if the text shows a secret of s.
func (s sample) find(t *testing.T, form, text string) {
	t.Helper()
	for _, c := range s.canaries {
		if found := c.find(text); found != "" {
			t.Errorf("%s shows a secret: … %s …", form, found)
		}
	}
}

// printed returns what printers and loggers make of x, a line for each.
func printed(x any) string {
	var b bytes.Buffer
	for _, verb := range "vsqxXdoObBcUtTeEfFgGpwz" {
		for _, flags := range []string{"", "+", "#", " ", "+#", "0", "-20", "200", "# ", ".3"} {
			format := "%" + flags + string(verb)
			fmt.Fprintf(&b, "%"+format+": "+format+"\n", x)
		}
	}
	fmt.Fprintln(&b, "Fprintln:", x, x)
	fmt.Fprintln(&b, "Errorf:", fmt.Errorf("failed on %v", x))
	logTo(slog.NewTextHandler(&b, nil), x)
	for _, text := range []string{"{{.}}", `<a title="{{.}}">`} {
		render(&b, text, x)
	}
	return b.String()
}

// loggedAsJSON returns what a log in JSON makes of x.
func loggedAsJSON(x any) string {
	var b bytes.Buffer
	logTo(slog.NewJSONHandler(&b, nil), x)
	return b.String()
}

// embedded returns what a script in a template makes of x, which is JSON.
func embedded(x any) string {
	var b bytes.Buffer
	render(&b, "<script>x = {{.}}</script>", x)
	return b.String()
}

func logTo(h slog.Handler, x any) {
	slog.New(h).With("with", x).Info("message", "attribute", x, slog.Group("group", "inner", x))
}

func render(b *bytes.Buffer, text string, x any) {
	err := template.Must(template.New("").Parse(text)).Execute(b, x)
	fmt.Fprintln(b, "", err)
}

// TestNothingEncodes gives every type that holds a secret to every encoder,
// which must fail and not lose the value or put a placeholder in its place.
func TestNothingEncodes(t *testing.T) {
	t.Parallel()
	encoders := map[string]func(x any) ([]byte, error){
		"JSON": json.Marshal,
		"XML":  xml.Marshal,
		"gob": func(x any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(x)
			return b.Bytes(), err
		},
	}
	for _, s := range samples(t) {
		if s.encoding == travels {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for name, encode := range encoders {
				for field, x := range s.fields {
					b, err := encode(x)
					s.find(t, field+" in "+name, fmt.Sprint(string(b), err))
					if err == nil && s.encoding == refused {
						t.Errorf("%s in %s is encoded as %s", field, name, b)
					}
				}
			}
			for _, x := range []any{s.value, s.zero} {
				if m, ok := x.(goencoding.TextMarshaler); ok {
					if b, err := m.MarshalText(); b != nil || err == nil {
						t.Errorf("MarshalText returns %s, %v", b, err)
					}
				}
				if m, ok := x.(goencoding.BinaryMarshaler); ok {
					if b, err := m.MarshalBinary(); b != nil || err == nil {
						t.Errorf("MarshalBinary returns %s, %v", b, err)
					}
				}
			}
		})
	}
}

// TestPlaceholder wants one placeholder from every type that keeps a secret
// itself, and not in a field of such a type.
func TestPlaceholder(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		if !keepsSecret(reflect.TypeOf(s.value)) {
			continue
		}
		for _, x := range []any{s.value, s.zero} {
			x, ok := x.(interface {
				fmt.Stringer
				fmt.GoStringer
				fmt.Formatter
				slog.LogValuer
				goencoding.TextMarshaler
				goencoding.BinaryMarshaler
			})
			if !ok {
				t.Errorf("%s lacks a method", s.name)
				break
			}
			for _, got := range []string{x.String(), x.GoString(), x.LogValue().String(), fmt.Sprintf("%v", x), fmt.Sprintf("%#v", x)} {
				if got != redact.Placeholder {
					t.Errorf("%s prints as %q", s.name, got)
				}
			}
		}
	}
}

func keepsSecret(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); f.Name == "redacted" || f.Name == "token" || f.Type.PkgPath() == here {
			return true
		}
	}
	return false
}
