package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"testing"
	"time"
)

// A table as many applications have it around pquerna/otp.
const columnSchema = `CREATE TABLE users (
	id TEXT PRIMARY KEY,
	email TEXT NOT NULL,
	totp_secret TEXT
)`

func TestColumn(t *testing.T) {
	db := oldDatabase(t, columnSchema)
	raw := []byte("twenty bytes of key!")
	text := base32.StdEncoding.EncodeToString(raw)
	insert := `INSERT INTO users (id, email, totp_secret) VALUES (?, 'x@example.com', ?)`
	exec(t, db, insert, "1-secret", text)
	exec(t, db, insert, "2-uri", "otpauth://totp/Old:x@example.com?secret="+text+"&issuer=Old&algorithm=SHA256&digits=8&period=60")
	exec(t, db, insert, "3-uri, short", "otpauth://totp/Old:x?issuer=Old&secret="+base32.StdEncoding.EncodeToString(raw[5:15]))
	exec(t, db, insert, "3-short", base32.StdEncoding.EncodeToString(raw[:10]))
	exec(t, db, insert, "4-broken", "not base32!")
	exec(t, db, insert, "5-hotp", "otpauth://hotp/Old:x?counter=1&secret="+text)
	exec(t, db, insert, "6-off", nil)
	exec(t, db, insert, "7-empty", "")

	l := newLanding(t)
	if c := l.take(fromColumn(t.Context(), db, columnQuery)); c.Users != 6 || c.Imported != 4 || c.Short != 2 || c.Faulty != 2 {
		t.Errorf("counts: %+v\n%s", c, l.out)
	}
	l.said(`"4-broken" stays: Authenticator: totp: `, "")
	l.said(`"5-hotp" stays: Authenticator: totp: `, "")
	l.owner("1-secret", raw, sha1.New, 6, 30*time.Second)
	l.owner("3-short", raw[:10], sha1.New, 6, 30*time.Second)
	l.owner("2-uri", raw, sha256.New, 8, time.Minute)
}
