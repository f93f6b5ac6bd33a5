package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What the migrations of Laravel and Fortify create in SQLite.
const fortifySchema = `
create table "users" ("id" integer primary key autoincrement not null, "name" varchar not null,
	"email" varchar not null, "email_verified_at" datetime, "password" varchar not null,
	"remember_token" varchar, "created_at" datetime, "updated_at" datetime);
create unique index "users_email_unique" on "users" ("email");
alter table "users" add column "two_factor_secret" text;
alter table "users" add column "two_factor_recovery_codes" text;
alter table "users" add column "two_factor_confirmed_at" datetime`

// laravelEncrypt is encrypt of Laravel with AES-256-CBC, written for this test.
func laravelEncrypt(key []byte, text string) string {
	text = fmt.Sprintf("s:%d:\"%s\";", len(text), text)
	pad := aes.BlockSize - len(text)%aes.BlockSize
	text += strings.Repeat(string(rune(pad)), pad)
	iv := sha256.Sum256([]byte(text))
	block, _ := aes.NewCipher(key)
	sealed := make([]byte, len(text))
	cipher.NewCBCEncrypter(block, iv[:16]).CryptBlocks(sealed, []byte(text))
	iv64, value64 := base64.StdEncoding.EncodeToString(iv[:16]), base64.StdEncoding.EncodeToString(sealed)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(iv64 + value64))
	outer, _ := json.Marshal(map[string]string{"iv": iv64, "value": value64, "mac": fmt.Sprintf("%x", mac.Sum(nil)), "tag": ""})
	return base64.StdEncoding.EncodeToString(outer)
}

func TestFortify(t *testing.T) {
	db := oldDatabase(t, fortifySchema)
	key, older := sha256.Sum256([]byte("key")), sha256.Sum256([]byte("older key"))
	keys, err := readLaravelKeys("base64:"+base64.StdEncoding.EncodeToString(key[:]), "base64:"+base64.StdEncoding.EncodeToString(older[:]))
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte("twenty bytes of key!")
	secret, short := base32.StdEncoding.EncodeToString(raw), base32.StdEncoding.EncodeToString(raw[:10])
	codes := `["kYvNq2Rx0A-bT4mWc9LzE","Hs71dPqUeo-Zx0aV5nGtJ"]`
	insert := func(name string, secret, codes, confirmed any) {
		exec(t, db, `insert into users (name, email, password, two_factor_secret, two_factor_recovery_codes, two_factor_confirmed_at)
			values (?, ?, '', ?, ?, ?)`, name, name, secret, codes, confirmed)
	}
	insert("1: the usual, 80 bits", laravelEncrypt(key[:], short), laravelEncrypt(key[:], codes), "2025-06-07 08:09:10")
	insert("2: 160 bits, the older key", laravelEncrypt(older[:], secret), laravelEncrypt(older[:], codes), "2025-06-07 08:09:10")
	insert("3: unconfirmed", laravelEncrypt(key[:], secret), laravelEncrypt(key[:], codes), nil)
	insert("4: off", nil, nil, nil)
	insert("5: another key", laravelEncrypt(raw[:16], secret), laravelEncrypt(key[:], codes), "2025-06-07 08:09:10")
	insert("6: not encrypted", secret, codes, "2025-06-07 08:09:10")
	insert("7: codes broken", laravelEncrypt(key[:], secret), laravelEncrypt(key[:], "{}"), "2025-06-07 08:09:10")

	l := newLanding(t)
	if c := l.take(fromFortify(t.Context(), db, fortifyQuery, keys)); c.Users != 5 || c.Imported != 3 || c.Short != 1 || c.Faulty != 2 {
		t.Errorf("counts: %+v\n%s", c, l.out)
	}
	l.said(`"5" stays: two_factor_secret: encrypted with another key`, "")
	l.said(`"6" stays: two_factor_secret: not what Laravel encrypts to`, "")
	l.said(`"7" leaves behind two_factor_recovery_codes: not a JSON list`, "")
	l.owner("1", raw[:10], sha1.New, 6, 30*time.Second)
	l.owner("2", raw, sha1.New, 6, 30*time.Second)
	l.sheet("2", "Hs71dPqUeo-Zx0aV5nGtJ")
	status, err := l.Guard.Status(t.Context(), "2")
	if err != nil || !status.Authenticators[0].Added.Equal(time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC)) || status.CodesLeft != 1 {
		t.Errorf("Status = %+v, %v", status, err)
	}
	if n := len(l.out.String()); strings.Contains(l.out.String(), secret) || n == 0 {
		t.Errorf("the output shows a secret:\n%s", l.out)
	}
}

// What illuminate/encryption 8.83.26 has encrypted under the SHA-256 of "a key for a
// test".
const (
	laravelSecret  = "eyJpdiI6ImhEeGhmbWttM0NuWWpndG1tV1VXUXc9PSIsInZhbHVlIjoidHIwRWxMdnowQnFMVDRlSmNHWEhjejZ5SjlIM0NiOXVyYVFiUk9jbDRmTT0iLCJtYWMiOiJjMTJiMzMzOGIyNjQ5YWQ1YjQzMGFhNDgyMWJkNDIwZWM4OTAwMmU1ZjE3ZmRlYWQ0MjcxYWFjMjU0YWJiNzlhIiwidGFnIjoiIn0="
	laravelCodes   = "eyJpdiI6Imh3QklRQ2JGWlNKajJJdVorNlBNTWc9PSIsInZhbHVlIjoiWEJ0Z2ovRFVsYWloU1hBaXVqVjE2MU4yLzFyUk1oRHhxNUVpcDhsUXQyNHRRWEJ6Yzl0OGxmOGkxbUdRc01hVS9HdzYzdXU5TmY1SGpGTlRlQW1XSXc9PSIsIm1hYyI6IjRlYTUwZDZjY2Y0YjlhYjA2NjI4ZDRkZmEwYTA1OWVlNjVmZTIwZjRmY2VkZmU5OTA4OWNiZWNhOGIzMzZmYzEiLCJ0YWciOiIifQ=="
	laravelString  = "eyJpdiI6IkZIaFZ5WHZDcm9LY01MSStQanRjb2c9PSIsInZhbHVlIjoiRFpkZjE0L3NvZUx5NVpkZU0vcXF0RHRtVmtvRFV2dWlRYkhVK0lnRHc3TT0iLCJtYWMiOiI3ZWM3MDkxY2I0YWNjMDdkMGEyM2Q1ZWY3ZjI4YmIwYzhhNjZjMTkzNzU4MWFhZTI0MjUxZjNlYzExNjBmM2M3IiwidGFnIjoiIn0="
	laravelGCM     = "eyJpdiI6InZyWXRxK05CeDUrdm1Wb2QiLCJ2YWx1ZSI6InZYdFpCamtDU1RmM0xHK3VYOUxzY09yNmZ5anhTTFJyIiwibWFjIjoiIiwidGFnIjoiMmxjc01yT04rOEtpQitVRG9ON3pTQT09In0="
	laravelInteger = "eyJpdiI6InBkbHBYTDlEUHhmclpyOXZHem9HWEE9PSIsInZhbHVlIjoidjFWT3FUUTVqcXhoK0N0TEh6RWF5Zz09IiwibWFjIjoiMmFiMjZlOTY0OWE0ZDg0MjcyM2FjZWIzZjg5YTU1ODg4MWU4MmRhM2U4MzA3ZGI3ZDcxMGJjNjEyYTk1NWEzNCIsInRhZyI6IiJ9"
)

func TestLaravelDecrypt(t *testing.T) {
	sum := sha256.Sum256([]byte("a key for a test"))
	keys := laravelKeys{make([]byte, 32), sum[:]}
	for sealed, want := range map[string]string{
		laravelSecret:  "JBSWY3DPEHPK3PXP",
		laravelCodes:   `["kYvNq2Rx0A-bT4mWc9LzE","Hs71dPqUeo-Zx0aV5nGtJ"]`,
		laravelString:  "JBSWY3DPEHPK3PXP",
		laravelInteger: "i:7;",
	} {
		if got, err := keys.decrypt(sealed); got != want || err != nil {
			t.Errorf("decrypt = %q, %v", got, err)
		}
	}
	if _, err := keys.decrypt(laravelGCM); err == nil || !strings.Contains(err.Error(), "another cipher") {
		t.Errorf("another cipher: %v", err)
	}
	outer, err := base64.StdEncoding.DecodeString(laravelSecret)
	if err != nil {
		t.Fatal(err)
	}
	for i := range outer {
		changed := append([]byte(nil), outer...)
		changed[i] ^= 1
		if got, err := keys.decrypt(base64.StdEncoding.EncodeToString(changed)); err == nil && got != "JBSWY3DPEHPK3PXP" {
			t.Errorf("with byte %d changed: %q", i, got)
		}
	}
}

func TestLaravelKeysRefused(t *testing.T) {
	good := "base64:" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, pair := range [][2]string{{"", ""}, {"base64:?", ""}, {"base64:AAAA", ""}, {good, "base64:AAAA"}} {
		if _, err := readLaravelKeys(pair[0], pair[1]); err == nil {
			t.Errorf("%q", pair)
		}
	}
	if keys, err := readLaravelKeys(good, good+","+strings.Repeat("k", 32)); err != nil || len(keys) != 3 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestUnserialize(t *testing.T) {
	for text, want := range map[string]string{`s:3:"abc";`: "abc", `s:2:"ö";`: "ö", `s:0:"";`: "", `s:4:"a";b";`: `a";b`, "abc": "abc"} {
		if got, err := unserialize(text); got != want || err != nil {
			t.Errorf("unserialize(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"s:", "s:3", `s:4:"abc";`, `s:9:"abc";`, `s:9223372036854775807:"abc";`, `s:2:"abc";`, `s:-1:"";`, `s:3:"abc"`, `s:3:'abc';`, `s:99999999999999999999:"abc";`} {
		if got, err := unserialize(text); err == nil {
			t.Errorf("unserialize(%q) = %q", text, got)
		}
	}
}
