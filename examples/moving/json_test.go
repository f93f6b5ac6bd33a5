package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// credential is an entry of the list "credentials" of a user in a realm export.
func credential(kind, label, secretData, credentialData string) map[string]any {
	return map[string]any{"id": "e4cd2b23", "type": kind, "userLabel": label, "createdDate": int64(1749283750123),
		"secretData": secretData, "credentialData": credentialData, "priority": 10}
}

// export is a realm export, by the credentials of its users.
func export(users map[string][]map[string]any) string {
	var list []map[string]any
	for id, credentials := range users {
		list = append(list, map[string]any{"id": id, "username": "name of " + id, "enabled": true, "totp": true, "credentials": credentials})
	}
	text, _ := json.Marshal(map[string]any{"realm": "shop", "otpPolicyType": "totp", "users": list})
	return string(text)
}

func TestKeycloak(t *testing.T) {
	password := credential("password", "", `{"value":"aGFzaA==","salt":"c2FsdA=="}`, `{"hashIterations":5,"algorithm":"argon2"}`)
	const usual = `{"subType":"totp","digits":6,"counter":0,"period":30,"algorithm":"HmacSHA1"}`
	text := export(map[string][]map[string]any{
		"1": {password, credential("otp", "phone", `{"value":"JSFk0dT2Qv7LmXb9RzPc"}`, usual)},
		"2": {password, credential("otp", "", `{"value":"KR3WK3TUPEWXI53PEBRHS5DFOMQGCIDLMV4Q"}`,
			`{"subType":"totp","digits":8,"counter":0,"period":60,"algorithm":"HmacSHA256","secretEncoding":"BASE32"}`)},
		"3": {password},
		"4": {password, credential("otp", "counter", `{"value":"JSFk0dT2Qv7LmXb9RzPc"}`, strings.Replace(usual, "totp", "hotp", 1))},
		"5": {credential("otp", "", `{"value":"JSFk0dT2Qv7LmXb9RzPd"}`, usual), credential("recovery-authn-codes", "", `{"codes":[]}`, `{}`),
			credential("webauthn", "blue key", `{}`, `{}`)},
		"6": {credential("otp", "", `{"value":"JSFk0dT2Qv7LmXb9RzPe"}`, strings.Replace(usual, "SHA1", "MD5", 1))},
		"7": {credential("otp", "", `{"value":"JSFk0dT2Qv7LmXb9RzPf"}`, `{`)},
		"8": {credential("otp", "", `{"value":"JSFk0dT2Qv7LmXb9RzPg"}`, strings.Replace(usual, "}", `,"secretEncoding":"ROT13"}`, 1))},
	})
	l := newLanding(t)
	read := func(yield func(user, error) bool) { fromKeycloak(strings.NewReader(text))(yield) } // twice
	if c := l.take(read); c.Users != 7 || c.Imported != 3 || c.Faulty != 4 {
		t.Errorf("counts: %+v\n%s", c, l.out)
	}
	l.said(`"4" stays: counter: a counter, not a clock (subType "hotp")`, "")
	l.said(`"5" leaves behind recovery codes`, "SHA-512")
	l.said(`"5" leaves behind blue key: a security key`, "")
	l.said(`"6" stays: Authenticator: totp: `, "")
	l.said(`"7" stays: Authenticator: secretData`, "")
	l.said(`"8" stays: Authenticator: unknown secretEncoding "ROT13"`, "")
	s, err := l.Guard.Status(t.Context(), "1")
	if err != nil || s.Authenticators[0].Name != "phone" || !s.Authenticators[0].Added.Equal(time.UnixMilli(1749283750123)) {
		t.Errorf("Status = %+v, %v", s.Authenticators, err)
	}
	l.owner("1", []byte("JSFk0dT2Qv7LmXb9RzPc"), sha1.New, 6, 30*time.Second)
	l.owner("2", []byte("Twenty-two bytes a key"), sha256.New, 8, time.Minute)
}

func TestKeycloakBroken(t *testing.T) {
	l := newLanding(t)
	if _, err := l.m.rehearse(t.Context(), fromKeycloak(strings.NewReader(`{"users":[{"credentials":"JSFk0dT2Qv7L"}]}`))); err == nil || strings.Contains(err.Error(), "JSFk") {
		t.Errorf("err = %v", err)
	}
}
