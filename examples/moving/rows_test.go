package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
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

// What the migrations of Laravel and Fortify create in SQLite.
const fortifySchema = `
create table "users" ("id" integer primary key autoincrement not null, "name" varchar not null,
	"email" varchar not null, "email_verified_at" datetime, "password" varchar not null,
	"remember_token" varchar, "created_at" datetime, "updated_at" datetime);
create unique index "users_email_unique" on "users" ("email");
alter table "users" add column "two_factor_secret" text;
alter table "users" add column "two_factor_recovery_codes" text;
alter table "users" add column "two_factor_confirmed_at" datetime`

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
