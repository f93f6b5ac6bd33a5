package listing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "alice ", "Álice", "%_'\"\\", strings.Repeat("x", store.MaxUserID), strings.Repeat("é", 127)} {
		got, err := listing.Parse(listing.After(id))
		if err != nil || got != id {
			t.Errorf("Parse(After(%q)) = %q, %v", id, got, err)
		}
	}
	if got, err := listing.Parse(""); got != "" || err != nil {
		t.Errorf("Parse of the empty cursor = %q, %v, want the beginning", got, err)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"no prefix":       "YWxpY2U",
		"other format":    "2.YWxpY2U",
		"prefix only":     "1.",
		"shorter":         "1",
		"not base64":      "1.!!!!",
		"padded":          "1.YWxpY2U=",
		"line break":      "1.YWxp\nY2U",
		"trailing bits":   "1.YR",
		"control":         listing.After("a\x00b"),
		"not UTF-8":       listing.After("\xff"),
		"too long an id":  listing.After(strings.Repeat("x", store.MaxUserID+1)),
		"very long":       "1." + strings.Repeat("A", 1<<20),
		"a raw user id":   "alice",
		"an offset":       "100",
		"control, direct": "\x00",
	} {
		if id, err := listing.Parse(s); !errors.Is(err, store.ErrInvalid) || id != "" {
			t.Errorf("%s: Parse = %q, %v, want ErrInvalid", name, id, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("")
	f.Add(listing.After("alice"))
	f.Add("1.YR")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := listing.Parse(s)
		if err != nil {
			if !errors.Is(err, store.ErrInvalid) {
				t.Fatalf("error %v does not match ErrInvalid", err)
			}
			return
		}
		if s != "" && listing.After(id) != s {
			t.Fatalf("Parse(%q) = %q, which has another cursor", s, id)
		}
	})
}
