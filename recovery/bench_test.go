package recovery_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// What a wrong guess costs: one derivation, whatever the number of codes.
func BenchmarkDerive(b *testing.B) {
	for _, tt := range []struct {
		text   string
		scheme recovery.Scheme
	}{{slowText, recovery.Argon2id}, {fastText, recovery.Fast}} {
		b.Run(tt.scheme.String(), func(b *testing.B) {
			d, code := derivation(b, 1, tt.scheme), parse(b, tt.text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Derive(code); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Comparing a wrong code's digest with every entry.
func BenchmarkSpendWrong(b *testing.B) {
	set, _ := newSet(b, recovery.DefaultCount)
	digest := foreign(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := set.Spend(digest, noon); err == nil {
			b.Fatal("a wrong code was accepted")
		}
	}
}

func BenchmarkSpend(b *testing.B) {
	set, digests := newSet(b, recovery.DefaultCount)
	b.ReportAllocs()
	for b.Loop() {
		fresh := set
		if _, err := fresh.Spend(digests[7], noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseCode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := recovery.ParseCode(slowText); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeSet(b *testing.B) {
	set, _ := newSet(b, recovery.DefaultCount)
	stored := encode(b, set)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := recovery.DecodeSet(stored); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	set, _ := newSet(b, recovery.DefaultCount)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = set.AppendBinary(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
