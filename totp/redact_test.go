package totp_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
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
