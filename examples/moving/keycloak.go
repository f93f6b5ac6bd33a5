package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A keycloakUser is a user in the export of a realm.
type keycloakUser struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	Credentials []struct {
		Type           string `json:"type"`
		UserLabel      string `json:"userLabel"`
		CreatedDate    int64  `json:"createdDate"` // in milliseconds
		SecretData     string `json:"secretData"`  // JSON in a string
		CredentialData string `json:"credentialData"`
	} `json:"credentials"`
}

// fromKeycloak reads the file of a realm export that has the users.
func fromKeycloak(file io.Reader) source {
	return func(yield func(user, error) bool) {
		var realm struct {
			Users []keycloakUser `json:"users"`
		}
		if err := json.NewDecoder(file).Decode(&realm); err != nil {
			yield(user{}, errors.New("the file is not the JSON of an export")) // err may quote it
			return
		}
		for _, from := range realm.Users {
			if u, has := from.read(); has && !yield(u, nil) {
				return
			}
		}
	}
}

// read returns the second factor of a user; false if there is none.
func (from keycloakUser) read() (u user, has bool) {
	u.id = from.ID // or the Username
	for _, c := range from.Credentials {
		switch c.Type {
		case "otp":
			key, err := keycloakKey(c.SecretData, c.CredentialData)
			name := fit(c.UserLabel)
			if name == "" {
				name = "Authenticator"
			}
			u.add(name, time.UnixMilli(c.CreatedDate), key, err)
		case "recovery-authn-codes":
			u.leave("recovery codes: they are hashed with SHA-512")
		case "webauthn", "webauthn-passwordless":
			u.leave("%s: a security key", fit(c.UserLabel))
		default: // the password is a first factor
			continue
		}
		has = true
	}
	return u, has
}

// keycloakKey reads the two texts of a credential. Keycloak shows an app the base32 of
// the value's own bytes. Only if the value came in base32, secretEncoding says so.
func keycloakKey(secretData, credentialData string) (totp.Key, error) {
	var s struct {
		Value string `json:"value"`
	}
	var c struct {
		SubType        string `json:"subType"`
		Digits         int    `json:"digits"`
		Period         int    `json:"period"`
		Algorithm      string `json:"algorithm"`
		SecretEncoding string `json:"secretEncoding"`
	}
	if json.Unmarshal([]byte(secretData), &s) != nil || json.Unmarshal([]byte(credentialData), &c) != nil {
		return totp.Key{}, errors.New("secretData or credentialData is not JSON")
	}
	if c.SubType != "totp" {
		return totp.Key{}, fmt.Errorf("a counter, not a clock (subType %q)", c.SubType)
	}
	algorithm, err := totp.ParseAlgorithm(c.Algorithm) // such as HmacSHA1
	if err != nil {
		return totp.Key{}, err
	}
	var secret totp.Secret
	switch c.SecretEncoding {
	case "":
		secret, err = totp.ShortSecrets{}.NewSecret([]byte(s.Value))
	case "BASE32", "base32":
		secret, err = totp.ShortSecrets{}.ParseSecret(s.Value)
	default:
		err = fmt.Errorf("unknown secretEncoding %q", c.SecretEncoding)
	}
	return newKey(secret, err, totp.Params{Algorithm: algorithm, Digits: c.Digits, Period: time.Duration(c.Period) * time.Second})
}
