// Package telephone reads phone numbers as people type them.
package telephone

import (
	"cmp"

	"github.com/nyaruka/phonenumbers"
)

// A Country has a code such as "DE" and a prefix such as 49.
type Country struct {
	Code   string
	Prefix int
}

// Countries are those that a phone number can be typed without the prefix of.
var Countries = func() (list []Country) {
	for _, code := range []string{"AT", "AU", "BE", "CA", "CH", "DE", "DK", "ES", "FR", "GB", "IE", "IN", "IT", "JP", "NL", "NO", "NZ", "PL", "PT", "SE", "US"} {
		list = append(list, Country{code, phonenumbers.GetCountryCodeForRegion(code)})
	}
	return list
}()

// Read returns the number with its prefix, such as "+4915123456789", and "" if it is none. The
// country is the code of one that was chosen, or "" if the prefix was typed. A guessed
// country could send codes to someone else.
func Read(country, typed string) string {
	number, err := phonenumbers.Parse(typed, cmp.Or(country, "ZZ")) // nowhere
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return ""
	}
	return phonenumbers.Format(number, phonenumbers.E164)
}
