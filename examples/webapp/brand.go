package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// defaultIssuer is the name of this service without the flag -issuer.
const defaultIssuer = "Twofactor Demo"

// issuer returns the name of this service for the host name in the request. The
// client chooses the host name, so it can only select a configured name.
func (a *app) issuer(r *http.Request) string {
	if brand, ok := a.config.brands[front.Host(r)]; ok {
		return brand
	}
	return a.config.Issuer
}

// checkBrands returns an error if authenticator apps can't show one of the names.
func checkBrands(c config) error {
	for _, brand := range c.brands {
		if err := (totp.Label{Issuer: brand, Account: "account"}).Validate(); err != nil {
			return fmt.Errorf("the name %q: %w", brand, err)
		}
	}
	return nil
}

// addBrand adds the value of a -brand flag, "host=name".
func addBrand(brands map[string]string, text string) error {
	host, name, ok := strings.Cut(text, "=")
	if !ok || host == "" || name == "" {
		return fmt.Errorf("%q is not host=name", text)
	}
	brands[strings.ToLower(host)] = name
	return nil
}
