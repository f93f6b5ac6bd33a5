package totp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// canary is a secret that can't appear by chance in any of its spellings.
const canary = "kanarienvogel-zZ9!~+"

// leaks reports which spelling of the canary is in text, or "".
func leaks(text string) string {
	raw := []byte(canary)
	s, err := totp.NewSecret(raw)
	if err != nil {
		panic(err)
	}
	decimal := strings.Trim(fmt.Sprint(raw), "[]")
	spellings := map[string]string{
		"raw":                canary,
		"base32":             s.Base32(),
		"groups":             s.Grouped(),
		"hexadecimal":        hex.EncodeToString(raw),
		"spaced hexadecimal": fmt.Sprintf("% x", raw),
		"Go bytes":           strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"),
		"decimal":            decimal,
		"JSON array":         strings.ReplaceAll(decimal, " ", ","),
		"comma list":         strings.ReplaceAll(decimal, " ", ", "),
		"base64":             base64.StdEncoding.EncodeToString(raw)[:20],
		"octal":              strings.Trim(fmt.Sprintf("%o", raw), "[]"),
		"binary":             strings.Trim(fmt.Sprintf("%b", raw), "[]"),
		"characters":         strings.Trim(fmt.Sprintf("%c", raw), "[]"),
		"code points":        strings.Trim(fmt.Sprintf("%U", raw), "[]"),
		"part":               "kanarien",
	}
	for name, spelling := range spellings {
		if strings.Contains(strings.ToLower(text), strings.ToLower(spelling)) {
			return name
		}
	}
	return ""
}

func TestLeaksFindsCanary(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"%s", "%v", "%x", "%X", "% x", "%#v", "%d", "%q", "%o", "%b", "%c", "%U"} {
		if leaks("prefix "+fmt.Sprintf(format, []byte(canary))+" suffix") == "" {
			t.Errorf("leaks does not see %s", fmt.Sprintf(format, []byte(canary)))
		}
	}
	if got := leaks("[redacted] 0xc000123456"); got != "" {
		t.Errorf("leaks sees %s in nothing", got)
	}
}

// Structs as hosts write them.
type (
	secretHost struct {
		name   string
		secret totp.Secret
	}
	keyHost struct {
		name string
		key  totp.Key
	}
	pointerHost struct {
		secret *totp.Secret
		key    *totp.Key
	}
	nestedHost struct {
		inner   secretHost
		keys    []totp.Key
		secrets map[string]totp.Secret
		array   [1]totp.Key
		any     any
	}
	exportedHost struct {
		Secret  totp.Secret
		Key     totp.Key
		Keys    []totp.Key
		Pointer *totp.Key
	}
	embeddingHost struct {
		totp.Key
	}
)

func secretBearers(t *testing.T) map[string]any {
	t.Helper()
	k := mustKey(t, []byte(canary), totp.Params{})
	s := k.Secret()
	return map[string]any{
		"Secret":                         s,
		"*Secret":                        &s,
		"[]Secret":                       []totp.Secret{s},
		"map of Secret":                  map[string]totp.Secret{"a": s},
		"Key":                            k,
		"*Key":                           &k,
		"[]Key":                          []totp.Key{k},
		"map of Key":                     map[string]totp.Key{"a": k},
		"unexported Secret":              secretHost{"a", s},
		"unexported Key":                 keyHost{"a", k},
		"pointer to an unexported Key":   &keyHost{"a", k},
		"unexported pointers":            pointerHost{&s, &k},
		"nested":                         nestedHost{secretHost{"a", s}, []totp.Key{k}, map[string]totp.Secret{"a": s}, [1]totp.Key{k}, k},
		"pointer to nested":              &nestedHost{secretHost{"a", s}, []totp.Key{k}, map[string]totp.Secret{"a": s}, [1]totp.Key{k}, &k},
		"exported":                       exportedHost{s, k, []totp.Key{k}, &k},
		"embedded":                       embeddingHost{k},
		"slice of hosts":                 []any{secretHost{"a", s}, keyHost{"a", k}},
		"reflect.Value":                  reflect.ValueOf(k),
		"reflect.Value of an unexported": reflect.ValueOf(keyHost{"a", k}).Field(1),
	}
}

func TestCase55_UnexportedFieldsPrint(t *testing.T) {
	t.Parallel()
	for name, v := range secretBearers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range "vsqxXdoObBcUtTeEfFgGpwz" {
				for _, flags := range []string{"", "+", "#", " ", "+#", "0", "-20", "200", "# ", ".3"} {
					format := "%" + flags + string(verb)
					got := fmt.Sprintf(format, v)
					if spelling := leaks(got); spelling != "" {
						t.Errorf("%s shows the %s: %s", format, spelling, got)
					}
				}
			}
			for how, got := range map[string]string{
				"Sprint":   fmt.Sprint(v),
				"Sprintln": fmt.Sprintln(v, v),
				"Errorf":   fmt.Errorf("failed on %v", v).Error(),
			} {
				if spelling := leaks(got); spelling != "" {
					t.Errorf("%s shows the %s: %s", how, spelling, got)
				}
			}

			var text, jsonText bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&jsonText, nil)} {
				log := slog.New(handler)
				log.Info("value", "v", v, slog.Group("g", "v", v))
				log.With("v", v).WithGroup("g").Info(fmt.Sprint(v))
			}
			for how, b := range map[string]*bytes.Buffer{"slog text": &text, "slog JSON": &jsonText} {
				if spelling := leaks(b.String()); spelling != "" {
					t.Errorf("%s shows the %s: %s", how, spelling, b)
				}
				if b.Len() == 0 {
					t.Errorf("%s shows nothing at all", how)
				}
			}

			var out bytes.Buffer
			for how, encode := range map[string]func() error{
				"JSON": func() error { return json.NewEncoder(&out).Encode(v) },
				"XML":  func() error { return xml.NewEncoder(&out).Encode(v) },
				"gob":  func() error { return gob.NewEncoder(&out).Encode(v) },
			} {
				out.Reset()
				err := encode()
				if spelling := leaks(out.String() + fmt.Sprint(err)); spelling != "" {
					t.Errorf("%s shows the %s: %s %v", how, spelling, &out, err)
				}
			}
		})
	}
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	const want = "[redacted]"
	k := mustKey(t, []byte(canary), totp.Params{})
	for name, v := range map[string]interface {
		fmt.Stringer
		fmt.GoStringer
		fmt.Formatter
		slog.LogValuer
		json.Marshaler
		MarshalText() ([]byte, error)
	}{"Secret": k.Secret(), "Key": k, "zero Secret": totp.Secret{}, "zero Key": totp.Key{}, "*Secret": &totp.Secret{}, "*Key": &k} {
		for _, got := range []string{v.String(), v.GoString(), fmt.Sprint(v), fmt.Sprintf("%#v", v), fmt.Sprintf("%20x", v), v.LogValue().String()} {
			if got != want {
				t.Errorf("%s prints as %q", name, got)
			}
		}
		if b, err := v.MarshalText(); b != nil || err == nil {
			t.Errorf("%s: MarshalText = %q, %v", name, b, err)
		}
		if b, err := json.Marshal(v); b != nil || err == nil {
			t.Errorf("%s: json.Marshal = %q, %v", name, b, err)
		}
		if b, err := json.Marshal(map[string]any{"v": v}); b != nil || err == nil {
			t.Errorf("%s in a map: json.Marshal = %q, %v", name, b, err)
		}
	}
}

// == would compare addresses, so the types must not have it.
func TestNotComparable(t *testing.T) {
	t.Parallel()
	for _, v := range []any{totp.Secret{}, totp.Key{}} {
		if reflect.TypeOf(v).Comparable() {
			t.Errorf("%T is comparable", v)
		}
	}
	a, b := mustKey(t, []byte(canary), totp.Params{}), mustKey(t, []byte(canary), totp.Params{})
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, mustKey(t, make([]byte, 20), totp.Params{})) {
		t.Error("DeepEqual does not compare the secrets, which tests of other packages rely on")
	}
}
