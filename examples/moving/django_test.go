package main

import (
	"crypto/sha1"
	"encoding/hex"
	"testing"
	"time"
)

// What the migrations of django-otp 1.1.3 create in SQLite, less the indexes and the
// table of users.
const djangoSchema = `
CREATE TABLE "otp_static_staticdevice" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(64) NOT NULL, "confirmed" bool NOT NULL, "user_id" integer NOT NULL, "throttling_failure_count" integer unsigned NOT NULL CHECK ("throttling_failure_count" >= 0), "throttling_failure_timestamp" datetime NULL);
CREATE TABLE "otp_static_statictoken" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "token" varchar(16) NOT NULL, "device_id" integer NOT NULL REFERENCES "otp_static_staticdevice" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "otp_totp_totpdevice" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(64) NOT NULL, "confirmed" bool NOT NULL, "key" varchar(80) NOT NULL, "step" smallint unsigned NOT NULL CHECK ("step" >= 0), "t0" bigint NOT NULL, "digits" smallint unsigned NOT NULL CHECK ("digits" >= 0), "tolerance" smallint unsigned NOT NULL CHECK ("tolerance" >= 0), "drift" smallint NOT NULL, "last_t" bigint NOT NULL, "user_id" integer NOT NULL, "throttling_failure_count" integer unsigned NOT NULL CHECK ("throttling_failure_count" >= 0), "throttling_failure_timestamp" datetime NULL)`

func TestDjango(t *testing.T) {
	db := oldDatabase(t, djangoSchema)
	device := func(userID int, name, key string, confirmed bool, step, t0, digits, drift int) {
		exec(t, db, `INSERT INTO otp_totp_totpdevice (name, confirmed, key, step, t0, digits, tolerance, drift, last_t, user_id, throttling_failure_count)
			VALUES (?, ?, ?, ?, ?, ?, 1, ?, 59864481, ?, 0)`, name, confirmed, key, step, t0, digits, drift, userID)
	}
	raw := []byte("twenty bytes of key!")
	key, other := hex.EncodeToString(raw), "21617198b95f0bbddb9a41130faab696405236d6"
	device(2, "token", other, true, 60, 0, 8, 0)
	device(1, "default", key, true, 30, 0, 6, 0)
	device(2, "default", key, true, 30, 0, 6, -4)
	device(1, "old tablet", other, false, 30, 0, 6, 0)
	device(3, "epoch", key, true, 30, 1700000000, 6, 0)
	device(5, "phone\n", key, true, 30, 0, 6, 1)
	device(5, "fast", other, true, 5, 0, 6, 0)
	exec(t, db, `INSERT INTO otp_static_staticdevice (id, name, confirmed, user_id, throttling_failure_count)
		VALUES (7, 'backup', 1, 1, 0), (8, 'backup', 1, 4, 0), (9, 'unfinished', 0, 5, 0)`)
	exec(t, db, `INSERT INTO otp_static_statictoken (token, device_id) VALUES ('exrsi22s', 7), ('f2noymgn', 7), ('abc', 7), ('tajw7tly', 8), ('mzxw6ytb', 9)`)

	l := newLanding(t)
	if c := l.take(fromDjango(t.Context(), db)); c.Users != 5 || c.Imported != 3 || c.Faulty != 2 {
		t.Errorf("counts: %+v\n%s", c, l.out)
	}
	l.said(`"1" leaves behind recovery code 3: shorter`, "")
	l.said(`"2" leaves behind default: the setting of its clock`, "")
	l.said(`"3" stays: epoch: it counts from another time (t0)`, "")
	l.said(`"4" stays: backup tokens alone`, "")
	l.said(`"5" leaves behind fast: totp: `, "")
	for userID, want := range map[string][2]int{"1": {1, 2}, "2": {2, 0}, "5": {1, 0}} {
		s, err := l.Guard.Status(t.Context(), userID)
		if err != nil || len(s.Authenticators) != want[0] || s.CodesLeft != want[1] {
			t.Errorf("Status of %s: %d authenticators, %d codes, %v", userID, len(s.Authenticators), s.CodesLeft, err)
		}
	}
	l.owner("1", raw, sha1.New, 6, 30*time.Second)
	l.owner("5", raw, sha1.New, 6, 30*time.Second)
	l.sheet("1", "f2noymgn")
	otherRaw, _ := hex.DecodeString(other)
	l.owner("2", otherRaw, sha1.New, 8, time.Minute)
}

// Since version 1.4 a device has the time of its setup.
func TestDjangoCreated(t *testing.T) {
	db := oldDatabase(t, djangoSchema)
	exec(t, db, `ALTER TABLE otp_totp_totpdevice ADD COLUMN created_at datetime`)
	exec(t, db, `INSERT INTO otp_totp_totpdevice (name, confirmed, key, step, t0, digits, tolerance, drift, last_t, user_id, throttling_failure_count, created_at)
		VALUES ('default', 1, '21617198b95f0bbddb9a41130faab696405236d6', 30, 0, 6, 1, 0, -1, 1, 0, '2025-06-07 08:09:10.123456')`)
	l := newLanding(t)
	l.take(fromDjango(t.Context(), db))
	s, err := l.Guard.Status(t.Context(), "1")
	if err != nil || !s.Authenticators[0].Added.Equal(time.Date(2025, 6, 7, 8, 9, 10, 123456000, time.UTC)) {
		t.Errorf("Status = %+v, %v", s.Authenticators, err)
	}
}
