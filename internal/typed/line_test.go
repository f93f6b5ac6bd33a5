package typed_test

import (
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

func TestLine(t *testing.T) {
	t.Parallel()
	const code = "ABCD-EFGH-JKMN-PQRS"
	for _, in := range []string{
		code, "  1.  [ ]  " + code, "32.  [ ]  " + code + "\r\n", "1) " + code, "12: " + code, "[x] " + code, "[] " + code,
		"[ ] 3. " + code, "☐ " + code + ".", "- [ ] " + code, "• " + code + ",", "1.\t" + code + ";", code + "...",
		"\u00a0\u00a01.\u00a0 [\u00a0]\u00a0 " + code + "\u00a0", "１．　" + code, "100.[X]" + code, code + "。",
		"\ufeff" + code, "* [ ] " + code, "•☐ " + code, "☐ 7. · " + code,
	} {
		if got := typed.Line(in); got != code {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{
		"":                      "",
		"1.":                    "1",
		"1234. " + code:         "1234. " + code,
		"1. 2. " + code:         "2. " + code,
		"[ ] [ ] " + code:       "[ ] " + code,
		"* • " + code:           "• " + code,
		"[ab] " + code:          "[ab] " + code,
		"a. " + code:            "a. " + code,
		"1 " + code:             "1 " + code,
		"[":                     "[",
		". " + code:             ". " + code,
		"ABCD.EFGH.JKMN.PQRS":   "ABCD.EFGH.JKMN.PQRS",
		"\xff" + code:           "\xff" + code,
		"AB]CD":                 "AB]CD",
		"- \u2014 - " + code:    code,
		strings.Repeat("1.", 3): "1.1",
	} {
		if got := typed.Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Your code is 123456":                        "123456",
		"Your code is 123456.\r\n":                   "123456",
		"G-123456":                                   "123456",
		"G-123456 is your Google verification code.": "123456",
		"123456.":                                    "123456",
		"Code: 12345678":                             "12345678",
		"code 1234567":                               "1234567",
		"(123456)":                                   "123456",
		"Ihr Code lautet „123456“, bitte nur hier.":   "123456",
		"Your WhatsApp code: 123-456":                 "123456",
		"Your code is 123 456.":                       "123456",
		"Your code is 123\u00a0456":                   "123456",
		"@example.com #123456":                        "123456",
		"您的验证码是：123456。":                              "123456",
		"رمزك هو ١٢٣٤٥٦":                              "123456",
		"Your code is １２３４５６":                         "123456",
		"Votre code\u202f: 123456":                    "123456",
		"Don’t share it! 123456 is your code":         "123456",
		"Your code is 123456, and not another number": "123456",
		"Der Code ist 123456":                         "123456", // 16 symbols, like a recovery code
		"123 456 ist der Code":                        "123456",
		"Dein Code ist 123456":                        "123456",
		"The code is 123456":                          "123456",
		"Enter code 12345678":                         "12345678",
	} {
		if got, ok := typed.Message(in); !ok || got != want {
			t.Errorf("%q: %q, %t, want %q", in, got, ok, want)
		}
	}
	for name, in := range map[string]string{
		"no digits":                    "Your code is",
		"too few":                      "Your code is 12345",
		"too many":                     "Your code is 123456789",
		"two codes":                    "Your code is 123456 or 654321",
		"another number":               "Your code is 123456. It expires in 10 minutes",
		"next to a letter":             "Your codeis123456",
		"before a letter":              "123456x is your code",
		"a price":                      "It costs $123456",
		"a phone number":               "Call +123456",
		"a link":                       "https://example.com/123456",
		"a parameter":                  "example.com?code=123456",
		"an address":                   "123456@example.com",
		"groups of four":               "Your code is 1234 5678",
		"groups of two and four":       "Your code is 12 3456",
		"groups of four and two":       "Your code is 1234 56",
		"three groups":                 "Your code is 123 456 789",
		"groups of two":                "Your code is 12 34 56",
		"two spaces in the middle":     "Your code is 123  456",
		"a short second group":         "Your code is 123 4567",
		"a recovery code with a gap":   "ABCD-EFGH-1234",
		"one symbol missing":           "ABCDEFG 12345678",
		"three symbols missing":        "ABCDE-12345678",
		"a recovery code and one more": "ABCDEFGHJ 12345678",
		"a recovery code in two parts": "ABCDEFGHJK 123456",
		"a recovery code in groups":    "ABCD EFGH JK12 3456",
		"groups of letters and digits": "ABCD EFGH 1234 5678",
		"a group with a hyphen":        "ABCD-EFGH JK 123456",
		"lines":                        "Your code is\n123456",
		"control characters":           "Your code is 123456\x1b[2J",
		"invalid UTF-8":                "Your code is 123456\xff",
		"an emoji":                     "123456 \U0001f512",
		"empty":                        "",
	} {
		if got, ok := typed.Message(in); ok {
			t.Errorf("%s, %q: %q", name, in, got)
		}
	}
}

// Whatever the text is, a code has six to eight digits, which stand in the text in
// this order and are all of its digits.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"Your code is 123456", "G-123456", "123 456.", "ABCD-1234", "a 1", "１２３４５６"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var all []byte
		for _, r := range in {
			if d, ok := typed.Digit(r); ok {
				all = append(all, d)
			}
		}
		got, ok := typed.Message(in)
		if ok && (got != string(all) || len(got) < 6 || len(got) > 8) || !ok && got != "" {
			t.Errorf("%q: %q, %t", in, got, ok)
		}
		if line := typed.Line(in); !strings.Contains(in, line) {
			t.Errorf("%q: the line is %q", in, line)
		}
	})
}
