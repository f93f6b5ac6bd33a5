// Package telephone reads phone numbers as people type them.
package telephone

import (
	"cmp"
	"slices"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// A Country has a code such as "DE", a name and a prefix such as 49.
type Country struct {
	Code, Name string
	Prefix     int
}

// Countries returns those that a phone number can be typed without the prefix of. Their names
// are in the language of the tag, and they are in its order.
func Countries(tag string) (list []Country) {
	in := language.Make(tag)
	names, order := display.Regions(in), collate.New(in)
	for _, code := range []string{"AT", "AU", "BE", "CA", "CH", "DE", "DK", "ES", "FR", "GB", "IE", "IN", "IT", "JP", "NL", "NO", "NZ", "PL", "PT", "SE", "US"} {
		list = append(list, Country{code, names.Name(language.MustParseRegion(code)), phonenumbers.GetCountryCodeForRegion(code)})
	}
	slices.SortFunc(list, func(a, b Country) int { return order.CompareString(a.Name, b.Name) })
	return list
}

// Read returns the number with its prefix, such as "+4915123456789", or "" if it is invalid. The
// country is the code of one that was chosen, or "" if the prefix was typed. A guessed
// country could send codes to someone else.
func Read(country, typed string) string {
	number, err := phonenumbers.Parse(typed, cmp.Or(country, "ZZ")) // nowhere
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return ""
	}
	return phonenumbers.Format(number, phonenumbers.E164)
}
