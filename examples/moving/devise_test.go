package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// What the migrations of Devise and devise-two-factor create in SQLite.
const deviseSchema = `
CREATE TABLE "users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "email" varchar DEFAULT '' NOT NULL,
	"encrypted_password" varchar DEFAULT '' NOT NULL, "created_at" datetime(6) NOT NULL, "updated_at" datetime(6) NOT NULL,
	"otp_secret" varchar, "consumed_timestep" integer, "otp_required_for_login" boolean, "otp_backup_codes" text)`

const (
	railsPrimary = "fEtVPcqyOkVpYnKcz3Y0nJx0V0z8K2mb"
	railsSalt    = "9kQ2xVYbq0T1uPzr5nDs7hWcE4aJm6Lf"
)

// railsEncrypt is an encrypted attribute of Rails 7.1, written for this test.
func railsEncrypt(t *testing.T, primary, text string) string {
	t.Helper()
	key, err := pbkdf2.Key(sha256.New, primary, []byte(railsSalt), 65536, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	iv := sha256.Sum256([]byte(text))
	sealed := aead.Seal(nil, iv[:12], []byte(text), nil)
	at := len(sealed) - 16
	b64 := base64.StdEncoding.EncodeToString
	out, _ := json.Marshal(map[string]any{"p": b64(sealed[:at]), "h": map[string]string{"iv": b64(iv[:12]), "at": b64(sealed[at:])}})
	return string(out)
}

// backupCodes are n codes of devise-two-factor, and their hashes.
func backupCodes(t *testing.T, n, cost int) (codes, hashes []string) {
	t.Helper()
	for i := range n {
		codes = append(codes, fmt.Sprintf("%016x", 0x9f86d081884c7d65+uint64(i)))
		hash, err := bcrypt.GenerateFromPassword([]byte(codes[i]), cost)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, string(hash))
	}
	return codes, hashes
}

func TestDevise(t *testing.T) {
	db := oldDatabase(t, deviseSchema)
	keys, err := readRailsKeys("a newer primary key,"+railsPrimary, railsSalt)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte("twenty bytes of key!")
	secret, usual := base32.StdEncoding.EncodeToString(raw), base32.StdEncoding.EncodeToString(raw[:15])
	codes, hashes := backupCodes(t, 2, bcrypt.MinCost)
	insert := func(id int, secret, required, codes any) {
		exec(t, db, `INSERT INTO users (id, created_at, updated_at, otp_secret, consumed_timestep, otp_required_for_login, otp_backup_codes)
			VALUES (?, '2025-01-01', '2025-01-01', ?, 58910000, ?, ?)`, id, secret, required, codes)
	}
	list, _ := json.Marshal(hashes)
	insert(1, railsEncrypt(t, railsPrimary, usual), true, string(list))                                         // JSON, 120 bits: the default
	insert(2, railsEncrypt(t, railsPrimary, secret), true, "{"+strings.Join(hashes, ",")+"}")                   // PostgreSQL
	insert(3, railsEncrypt(t, railsPrimary, secret), true, "---\n- \""+strings.Join(hashes, "\"\n- \"")+"\"\n") // YAML
	insert(4, railsEncrypt(t, railsPrimary, secret), false, nil)                                                // not switched on
	insert(5, nil, true, nil)                                                                                   // from before version 5
	insert(6, railsEncrypt(t, "another", secret), true, nil)
	insert(7, railsEncrypt(t, railsPrimary, secret), true, `["sha1$abc"]`)
	insert(8, secret, true, nil) // in clear

	l := newLanding(t)
	if c := l.take(fromDevise(t.Context(), db, deviseQuery, keys)); c.Users != 7 || c.Imported != 4 || c.Short != 1 || c.Faulty != 3 {
		t.Errorf("counts: %+v\n%s", c, l.out)
	}
	l.said(`"5" stays: otp_secret is empty`, "from before version 5")
	l.said(`"6" stays: otp_secret: encrypted with another key or salt`, "")
	l.said(`"7" leaves behind otp_backup_codes: not a list`, "")
	l.said(`"8" stays: otp_secret: not what Active Record encrypts to`, "")
	l.owner("1", raw[:15], sha1.New, 6, 30*time.Second)
	for _, id := range []string{"1", "2", "3"} {
		l.sheet(id, codes[1])
	}
}

// What the gem bcrypt has hashed is taken as it is.
func TestDeviseHash(t *testing.T) {
	l := newLanding(t)
	for u := range one("1", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") {
		u.addBcrypt(`["$2a$04$CCA5dbvQ2qEw3w25MdCIsepS8W36CMmQJvxPui0ecOCvSeeGB/Gpa"]`)
		l.take(func(yield func(user, error) bool) { yield(u, nil) })
	}
	l.sheet("1", "9f86d081884c7d65")
}

// Five codes of cost 12, as Devise makes them, cost more than an account takes.
func TestDeviseCodesCost(t *testing.T) {
	hash := func(i, cost int) string { return fmt.Sprintf("$2a$%02d$%s%d", cost, strings.Repeat("a", 52), i) }
	list := func(n, cost int) (all string) {
		for i := range n {
			all += hash(i, cost) + ","
		}
		return all
	}
	for _, tt := range []struct{ n, cost, taken int }{{5, 10, 5}, {5, 11, 5}, {5, 12, 4}, {3, 13, 2}, {1, 15, 0}, {1, 31, 0}, {1, 99, 0}} {
		var u user
		if u.addBcrypt(list(tt.n, tt.cost)); len(u.take.RecoveryHashes) != tt.taken || len(u.behind) != tt.n-tt.taken {
			t.Errorf("%d of cost %d: %d taken, behind %q", tt.n, tt.cost, len(u.take.RecoveryHashes), u.behind)
		}
	}
}

// What OpenSSL has encrypted as Rails 7.0 does, with SHA-1, and as 7.1 does.
func TestRailsDecrypt(t *testing.T) {
	keys, err := readRailsKeys(railsPrimary, railsSalt)
	if err != nil {
		t.Fatal(err)
	}
	const sha1Sealed = `{"p":"CIDiENYr6hmK9pxUm9GQdyFpkieDJ8jZ","h":{"iv":"1JxrKj9bQ7pqrxAz","at":"WKeIlPW2WBqcY65O/hIHFA=="}}`
	for _, sealed := range []string{sha1Sealed,
		`{"p":"Bl8U3uhdszfeJ7DVXpzwLutaOHeEq6sc","h":{"iv":"/arhGG+XUyzv6QTZ","at":"NE8nNS+ujaqs89L80iMOMA=="}}`} {
		if got, err := keys.decrypt(sealed); got != "RK4RX64VWTIXVNBVW2NCB4J3" || err != nil {
			t.Errorf("decrypt = %q, %v", got, err)
		}
	}
	for name, sealed := range map[string]string{
		"a short tag": strings.Replace(sha1Sealed, "WKeIlPW2WBqcY65O/hIHFA==", "WKeIlA==", 1),
		"no nonce":    `{"p":"CIDiENYr6hmK9pxUm9GQdyFpkieDJ8jZ","h":{"at":"WKeIlPW2WBqcY65O/hIHFA=="}}`,
		"changed":     strings.Replace(sha1Sealed, "CIDi", "DIDi", 1),
		"compressed":  strings.Replace(sha1Sealed, `"h":{`, `"h":{"c":true,`, 1),
		"an envelope": strings.Replace(sha1Sealed, `"h":{`, `"h":{"k":{"p":"AAAA"},`, 1),
		"no JSON":     "RK4RX64VWTIXVNBVW2NCB4J3",
		"null":        "null",
	} {
		if got, err := keys.decrypt(sealed); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, err := readRailsKeys("", railsSalt); err == nil {
		t.Error("no primary key")
	}
	if _, err := readRailsKeys(railsPrimary, ""); err == nil {
		t.Error("no salt")
	}
}
