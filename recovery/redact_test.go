package recovery_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

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

func containsAny(text string, needles []string) bool {
	for _, s := range needles {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
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
