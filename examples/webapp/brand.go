package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// defaultIssuer is the name of this service where no flag gives another.
const defaultIssuer = "Twofactor Demo"

// issuer returns the name under which this service is known at the address that
// was asked for. The host name comes from the client, and so it only chooses
// among the names that were configured.
func (a *app) issuer(r *http.Request) string {
	if brand, ok := a.config.brands[hostName(r)]; ok {
		return brand
	}
	return a.config.issuer
}

// hostName returns the host name of the address, without the port.
func hostName(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// checkBrands makes sure that authenticator apps can show every name.
func checkBrands(c config) error {
	for _, brand := range c.brands {
		if err := (totp.Label{Issuer: brand, Account: "account"}).Validate(); err != nil {
			return fmt.Errorf("the name %q: %w", brand, err)
		}
	}
	return nil
}

// addBrand reads "host=name", as the flag has it.
func addBrand(brands map[string]string, text string) error {
	host, name, ok := strings.Cut(text, "=")
	if !ok || host == "" || name == "" {
		return fmt.Errorf("%q is not host=name", text)
	}
	brands[strings.ToLower(host)] = name
	return nil
}
