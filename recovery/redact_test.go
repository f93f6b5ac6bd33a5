package recovery_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

var verbs = []string{
	"%v", "%+v", "%#v", "%T", "%s", "%+s", "%#s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x", "%d", "%+d", "%o", "%b",
	"%c", "%U", "%e", "%g", "%t", "%p", "%#p", "%w", "%z", "%6.2v", "%-30v",
}

// canaries returns the forms in which secret bytes could come out.
func canaries(secrets ...[]byte) []string {
	var list []string
	for _, b := range secrets {
		list = append(list,
			string(b),
			strings.ToLower(string(b)),
			hex.EncodeToString(b),
			strings.ToUpper(hex.EncodeToString(b)),
			fmt.Sprintf("% x", b),
			strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", b[:8]), "[]byte"), "{}"),
			strings.Trim(fmt.Sprint(b[:8]), "[]"),
			strings.Trim(fmt.Sprintf("%o", b[:8]), "[]"),
			strings.Trim(fmt.Sprintf("%b", b[:8]), "[]"),
			base64.StdEncoding.EncodeToString(b)[:12],
		)
	}
	return list
}

// host is a struct of a program that uses the package. fmt prints its
// unexported fields without asking their methods.
type host[T any] struct {
	Exported   T
	unexported T
	pointer    *T
	list       []T
	array      [1]T
	table      map[string]T
	any        any
	deep       struct{ deeper struct{ deepest T } }
}

func newHost[T any](v T) host[T] {
	h := host[T]{Exported: v, unexported: v, pointer: &v, list: []T{v}, array: [1]T{v}, table: map[string]T{"key": v}, any: v}
	h.deep.deeper.deepest = v
	return h
}

// outputs returns everything that printing, logging and encoding make of v.
func outputs[T any](v T) map[string]string {
	out := map[string]string{}
	h := newHost(v)
	for name, value := range map[string]any{
		"value": v, "pointer": &v, "slice": []T{v}, "map": map[string]T{"key": v},
		"host": h, "host pointer": &h, "hosts": []host[T]{h},
	} {
		for _, verb := range verbs {
			out[name+" "+verb] = fmt.Sprintf(verb, value)
		}
		out[name+" print"] = fmt.Sprint(value)
		out[name+" error"] = fmt.Errorf("failed on %v: %w", value, recovery.ErrWrong).Error()
		b, err := json.Marshal(value)
		out[name+" json"] = fmt.Sprintf("%s %v", b, err)
		b, err = xml.Marshal(value)
		out[name+" xml"] = fmt.Sprintf("%s %v", b, err)
		var buf bytes.Buffer
		err = gob.NewEncoder(&buf).Encode(value)
		out[name+" gob"] = fmt.Sprintf("%s %v", buf.Bytes(), err)

		options := &slog.HandlerOptions{AddSource: true, Level: slog.LevelDebug}
		for kind, handler := range map[string]slog.Handler{
			"text": slog.NewTextHandler(&buf, options), "json": slog.NewJSONHandler(&buf, options),
		} {
			buf.Reset()
			log := slog.New(handler).With("with", value)
			log.Info("message", "attribute", value, slog.Group("group", "inner", value))
			out[name+" slog "+kind] = buf.String()
		}
	}
	return out
}

func checkRedacted[T any](t *testing.T, v T, secrets []string) {
	t.Helper()
	outs := outputs(v)
	if len(outs) < 200 {
		t.Fatalf("only %d ways to print were tried", len(outs))
	}
	for way, text := range outs {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%T by %s shows %q: %s", v, way, s, text)
			}
		}
	}
}

func TestCase55_NothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range schemes {
		t.Run(tt.scheme.String(), func(t *testing.T) {
			t.Parallel()
			codes := generate(t, 55, 4, tt.scheme)
			d := derivation(t, 55, tt.scheme)
			if tt.scheme == recovery.Argon2id {
				d = light(t)
			}
			set, err := d.DeriveAll(t.Context(), codes)
			if err != nil {
				t.Fatal(err)
			}
			encoded := encode(t, set)

			salt := encoded[8:24]
			packed := pack(t, codes)
			secrets := [][]byte{encoded, salt, packed, packed[2:]}
			for i, text := range codes.Reveal() {
				sum := encoded[25+40*i:][:32]
				secrets = append(secrets, []byte(text), []byte(strings.ReplaceAll(text, "-", "")), sum)
			}
			needles := canaries(secrets...)

			var code recovery.Code
			for code = range codes.All() {
				break
			}
			digest, err := d.Derive(code)
			if err != nil {
				t.Fatal(err)
			}
			spent := set
			if _, err := spent.Spend(digest, noon); err != nil {
				t.Fatal(err)
			}
			checkRedacted(t, code, needles)
			checkRedacted(t, codes, needles)
			checkRedacted(t, digest, needles)
			checkRedacted(t, d, needles)
			checkRedacted(t, set, needles)
			checkRedacted(t, spent, needles)

			// The canaries themselves: in clear they would be found.
			for _, leak := range []any{codes.Reveal()[0], encoded, struct{ b []byte }{salt}, packed} {
				if text := fmt.Sprintf("%v", leak); !containsAny(text, needles) {
					t.Errorf("no canary is found in %s", text)
				}
			}
		})
	}
}

func containsAny(text string, needles []string) bool {
	for _, s := range needles {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 10)
	if _, err := set.Spend(digests[0], noon); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		value interface {
			fmt.Stringer
			fmt.GoStringer
			slog.LogValuer
		}
		want string
	}{
		{parse(t, slowText), "recovery.Code(redacted)"},
		{recovery.Code{}, "recovery.Code(redacted)"},
		{generate(t, 1, 5, recovery.Fast), "recovery.Codes(5, redacted)"},
		{recovery.Codes{}, "recovery.Codes(0, redacted)"},
		{digests[0], "recovery.Digest(redacted)"},
		{recovery.Digest{}, "recovery.Digest(redacted)"},
		{derivation(t, 1, recovery.Argon2id), "recovery.Derivation(argon2id, 19456 KiB, t=2, p=1)"},
		{derivation(t, 1, recovery.Fast), "recovery.Derivation(fast)"},
		{recovery.Derivation{}, "recovery.Derivation(none)"},
		{set, "recovery.Set(9 of 10 left)"},
		{recovery.Set{}, "recovery.Set(0 of 0 left)"},
	}
	for _, tt := range tests {
		for way, got := range map[string]string{
			"String": tt.value.String(), "GoString": tt.value.GoString(), "LogValue": tt.value.LogValue().String(),
			"%v": fmt.Sprintf("%v", tt.value), "%#v": fmt.Sprintf("%#v", tt.value), "%d": fmt.Sprintf("%d", tt.value),
		} {
			if got != tt.want {
				t.Errorf("%s is %q, want %q", way, got, tt.want)
			}
		}
	}
}

// Codes and sets that would be lost in an encoding refuse it; what is only ever
// on its way shows a placeholder.
func TestEncodingAsText(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 4)
	codes := generate(t, 1, 4, recovery.Argon2id)
	for _, value := range []any{codes, recovery.Codes{}, set, recovery.Set{}, &codes, &set, []any{codes}, struct{ C recovery.Codes }{codes}} {
		if b, err := json.Marshal(value); err == nil {
			t.Errorf("%T is encoded as %s", value, b)
		}
		if b, err := xml.Marshal(value); err == nil {
			t.Errorf("%T is encoded as %s", value, b)
		}
	}
	for _, value := range []fmt.Stringer{parse(t, slowText), digests[0], derivation(t, 1, recovery.Fast)} {
		b, err := json.Marshal(struct{ V any }{value})
		if want := fmt.Sprintf(`{"V":%q}`, value.String()); err != nil || string(b) != want {
			t.Errorf("%s, %v; want %s", b, err, want)
		}
	}
}

// Errors must say nothing of what was typed or stored.
func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 4)
	encoded := encode(t, set)
	texts := generate(t, 9, 4, recovery.Fast).Reveal()
	needles := canaries([]byte(texts[0]), encoded[8:24], encoded[25:57])
	var errs []error
	add := func(err error) {
		if err == nil {
			t.Error("no error")
		}
		errs = append(errs, err)
	}
	_, err := recovery.ParseCode(texts[0] + "U")
	add(err)
	_, err = set.Spend(foreign(t), time.Now())
	add(err)
	_, _ = set.Spend(digests[0], time.Now())
	_, err = set.Spend(digests[0], time.Now())
	add(err)
	_, err = light(t).Derive(parse(t, texts[0]))
	add(err)
	add(set.Replace(1, digests[2]))
	add(set.Replace(0, digests[2]))
	add(set.Replace(0, recovery.Digest{}))
	for _, damaged := range [][]byte{encoded[1:], encoded[:57], append(encoded, encoded...)} {
		_, err = recovery.DecodeSet(damaged)
		add(err)
	}
	code, packed := parse(t, texts[0]), pack(t, join(t, texts[0]))
	needles = append(needles, canaries(packed[2:])...)
	_, err = recovery.JoinCodes(code, code)
	add(err)
	_, err = recovery.JoinCodes(code, parse(t, slowText))
	add(err)
	twice := slices.Concat([]byte{1, 2}, packed[2:], packed[2:])
	for _, damaged := range [][]byte{packed[1:], packed[:18], twice, append(packed[:18:18], packed[18]|1)} {
		_, err = recovery.DecodeCodes(damaged)
		add(err)
	}
	for _, err := range errs {
		if text := fmt.Sprintf("%+v %#v", err, err); containsAny(text, needles) {
			t.Errorf("the error shows a secret: %s", text)
		}
	}
}
