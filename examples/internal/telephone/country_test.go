package telephone

import (
	"slices"
	"testing"
)

// Countries have names in the language of the reader, and are where a reader looks for them.
func TestCountries(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string][]Country{
		"en": {{"DE", "Germany", 49}, {"IN", "India", 91}, {"IE", "Ireland", 353}},
		"de": {{"NO", "Norwegen", 47}, {"AT", "Österreich", 43}, {"PL", "Polen", 48}},
	} {
		list := Countries(tag)
		at := slices.Index(list, want[0])
		if at < 0 || !slices.Equal(list[at:at+3], want) {
			t.Errorf("%s: %v", tag, list)
		}
		for _, c := range list {
			if c.Prefix == 0 || c.Name == c.Code || c.Name == "" {
				t.Errorf("%s: %v", tag, c)
			}
		}
	}
}
