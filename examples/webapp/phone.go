package main

import (
	"cmp"
	"net/http"

	"github.com/nyaruka/phonenumbers"

	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// phonePage asks for a phone number.
type phonePage struct {
	web.Page
	Countries []country
}

// A country has a code such as "DE" and a prefix such as 49.
type country struct {
	Code   string
	Prefix int
}

// countries are those that a phone number can be typed without the prefix of.
var countries = func() (list []country) {
	for _, code := range []string{"AT", "AU", "BE", "CA", "CH", "DE", "DK", "ES", "FR", "GB", "IE", "IN", "IT", "JP", "NL", "NO", "NZ", "PL", "PT", "SE", "US"} {
		list = append(list, country{code, phonenumbers.GetCountryCodeForRegion(code)})
	}
	return list
}()

// readPhone reads a phone number, with a country that was chosen or the code of one. A
// guessed country could send codes to someone else.
func readPhone(r *http.Request, typed string) (channel, to string, err error) {
	country := cmp.Or(r.PostForm.Get("country"), "ZZ") // nowhere
	number, err := phonenumbers.Parse(typed, country)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", "", nil
	}
	return "sms", phonenumbers.Format(number, phonenumbers.E164), nil
}
