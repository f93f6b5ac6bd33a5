package recovery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func TestSheet(t *testing.T) {
	t.Parallel()
	codes := generate(t, 6, recovery.MaxCount, recovery.Fast)
	sheet := codes.Sheet(recovery.Sheet{
		Issuer:  "Acme",
		Account: "alice@example.com",
		Created: time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("east", 9*3600)),
	})
	for _, want := range []string{"Recovery codes for Acme\n", "Account: alice@example.com\n", "Created: 2026-03-01\n", "Each code works once"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the sheet lacks %q:\n%s", want, sheet)
		}
	}
	lines := strings.Split(sheet, "\n")
	if lines[len(lines)-1] != "" {
		t.Error("the last line has no newline")
	}
	i := 0
	texts := codes.Reveal()
	for _, line := range lines {
		if len(line) > 72 {
			t.Errorf("a line of %d characters: %q", len(line), line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("trailing space: %q", line)
		}
		for _, b := range []byte(line) {
			if b < ' ' || b > '~' {
				t.Errorf("byte %#x in %q", b, line)
			}
		}
		if i < len(texts) && strings.HasSuffix(line, texts[i]) {
			i++
		}
	}
	if i != len(texts) {
		t.Errorf("%d of %d codes are on the sheet, in order", i, len(texts))
	}
	for _, number := range []string{"\n   1.  ", "\n  32.  "} {
		if !strings.Contains(sheet, number) {
			t.Errorf("no line begins with %q", number)
		}
	}
}

func TestSheetLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	sheet := generate(t, 6, 4, recovery.Argon2id).Sheet(recovery.Sheet{Issuer: " \n ", Account: "\u200b"})
	if !strings.HasPrefix(sheet, "Recovery codes\n==============\n\n") {
		t.Errorf("the heading is not bare:\n%s", sheet)
	}
	for _, word := range []string{"Account:", "Created:", " for \n", "0001"} {
		if strings.Contains(sheet, word) {
			t.Errorf("the sheet has %q:\n%s", word, sheet)
		}
	}
}

func TestSheetNeutralisesLabels(t *testing.T) {
	t.Parallel()
	codes := generate(t, 6, 4, recovery.Argon2id)
	plain := strings.Count(codes.Sheet(recovery.Sheet{Issuer: "a", Account: "b"}), "\n")
	tests := []struct {
		name, in, want string
	}{
		{"newline", "alice\n   1. FAKE-FAKE-FAKE-FAKE", "alice 1. FAKE-FAKE-FAKE-FAKE"},
		{"carriage return", "alice\rbob", "alice bob"},
		{"line and paragraph separator", "alice\u2028bob\u2029carol", "alice bob carol"},
		{"next line, vertical tab, form feed", "a\u0085b\vc\fd", "a b c d"},
		{"terminal escape", "alice\x1b[31m", "alice [31m"},
		{"NUL and backspace", "alice\x00\bbob", "alice bob"},
		{"right-to-left override", "alice\u202egnp.exe", "alicegnp.exe"},
		{"zero-width space", "al\u200bice", "alice"},
		{"invalid UTF-8", "alice\xff\xfebob", "alice?bob"},
		{"letters of other scripts stay", "Zoë Łukasz 田中", "Zoë Łukasz 田中"},
		{"spaces are folded", "  Zoë \u00a0 Łukasz  ", "Zoë Łukasz"},
		{"64 characters stay", strings.Repeat("ü", 64), strings.Repeat("ü", 64)},
		{"65 are cut", strings.Repeat("ü", 65), strings.Repeat("ü", 61) + "..."},
		{"1 MiB is cut", strings.Repeat("a", 1<<20), strings.Repeat("a", 61) + "..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sheet := codes.Sheet(recovery.Sheet{Issuer: tt.in, Account: tt.in})
			if !strings.HasPrefix(sheet, "Recovery codes for "+tt.want+"\n") {
				t.Errorf("heading %q, want %q", strings.SplitN(sheet, "\n", 2)[0], tt.want)
			}
			if !strings.Contains(sheet, "\nAccount: "+tt.want+"\n") {
				t.Errorf("no line %q in\n%s", "Account: "+tt.want, sheet)
			}
			if n := strings.Count(sheet, "\n"); n != plain {
				t.Errorf("%d lines, want %d", n, plain)
			}
		})
	}
}
