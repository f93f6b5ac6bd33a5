package telephone

import "testing"

func TestRead(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ country, typed, want string }{
		{"DE", "0151 23456789", "+4915123456789"},
		{"", "+49 (0151) 2345-6789", "+4915123456789"},
		{"FR", "+49 151 23456789", "+4915123456789"},
		{"", "0151 23456789", ""},
		{"XX", "0151 23456789", ""},
		{"DE", "1", ""},
		{"", "", ""},
	} {
		if got := Read(x.country, x.typed); got != x.want {
			t.Errorf("%q in %q: %q, want %q", x.typed, x.country, got, x.want)
		}
	}
}
