package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"golang.org/x/crypto/bcrypt"
)

// What the old systems create on servers, in the columns that are read.
var serverSchemas = map[string][]string{
	"MariaDB": {
		`create table users (id bigint unsigned not null auto_increment primary key, two_factor_secret text null,
			two_factor_recovery_codes text null, two_factor_confirmed_at timestamp null,
			otp_secret varchar(255), otp_required_for_login tinyint(1), otp_backup_codes text)`,
		"create table otp_totp_totpdevice (id int auto_increment primary key, name varchar(64) not null, confirmed tinyint(1) not null, `key` varchar(80) not null," +
			"step smallint unsigned not null, t0 bigint not null, digits smallint unsigned not null, drift smallint not null, user_id int not null, created_at datetime(6) null)",
	},
	"PostgreSQL": {
		`create table users (id bigserial primary key, two_factor_secret text null,
			two_factor_recovery_codes text null, two_factor_confirmed_at timestamp(0) without time zone null,
			otp_secret character varying, otp_required_for_login boolean, otp_backup_codes character varying[])`,
		`create table otp_totp_totpdevice (id serial primary key, name varchar(64) not null, confirmed boolean not null, "key" varchar(80) not null,
			step smallint not null, t0 bigint not null, digits smallint not null, drift smallint not null, user_id integer not null, created_at timestamp with time zone null)`,
	},
}

var serverTokens = []string{
	`create table otp_static_staticdevice (id integer primary key, confirmed boolean not null, user_id integer not null)`,
	`create table otp_static_statictoken (id integer primary key, token varchar(16) not null, device_id integer not null)`,
	`insert into otp_static_staticdevice values (1, true, 1)`,
	`insert into otp_static_statictoken values (1, 'exrsi22s', 1)`,
}

// The readers read from servers what they read from SQLite.
func TestServers(t *testing.T) {
	for name, address := range map[string]func(*testing.T) string{
		"MariaDB": func(t *testing.T) string { return "mysql://" + testenv.MariaDBDSN(t) },
		"PostgreSQL": func(t *testing.T) string {
			parts := url.Values{}
			for part := range strings.FieldsSeq(testenv.PostgresDSN(t)) {
				name, value, _ := strings.Cut(part, "=")
				parts.Set(name, value)
			}
			return "postgres:///?" + parts.Encode()
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := openDatabase(address(t))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, statement := range append(serverSchemas[name], serverTokens...) {
				exec(t, db, statement)
			}
			testServer(t, db)
		})
	}
}

func testServer(t *testing.T, db *sql.DB) {
	raw := []byte("twenty bytes of key!")
	secret := base32.StdEncoding.EncodeToString(raw)
	key := sha256.Sum256([]byte("key"))
	keys, err := readRailsKeys(railsPrimary, railsSalt)
	if err != nil {
		t.Fatal(err)
	}
	codes, hashes := backupCodes(t, 2, bcrypt.MinCost)
	quote := strings.NewReplacer("'", "''").Replace // the parameters of the drivers differ
	exec(t, db, `insert into users (two_factor_secret, two_factor_recovery_codes, two_factor_confirmed_at, otp_secret, otp_required_for_login, otp_backup_codes)
		values ('`+quote(laravelEncrypt(key[:], secret))+`', '`+quote(laravelEncrypt(key[:], `["code-of-the-sheet"]`))+`', '2025-06-07 08:09:10', '`+
		quote(railsEncrypt(t, railsPrimary, secret))+`', true, '{`+strings.Join(hashes, ",")+`}')`)
	exec(t, db, `insert into users (two_factor_secret) values (null)`)
	exec(t, db, `insert into otp_totp_totpdevice values (1, 'default', true, '7477656e7479206279746573206f66206b657921', 30, 0, 6, 0, 1, '2025-06-07 08:09:10')`)

	for name, tt := range map[string]struct {
		users source
		code  string
	}{
		"fortify": {fromFortify(t.Context(), db, fortifyQuery, laravelKeys{key[:]}), "code-of-the-sheet"},
		"devise":  {fromDevise(t.Context(), db, deviseQuery, keys), codes[1]},
		"django":  {fromDjango(t.Context(), db), "exrsi22s"},
		"column":  {fromColumn(t.Context(), db, `select id, '`+secret+`' from users where two_factor_secret is not null`), ""},
	} {
		l := newLanding(t)
		if c := l.take(tt.users); c.Users != 1 || c.Imported != 1 {
			t.Errorf("%s: %+v\n%s", name, c, l.out)
			continue
		}
		l.owner("1", raw, sha1.New, 6, 30*time.Second)
		if tt.code != "" {
			l.sheet("1", tt.code)
		}
		s, err := l.Guard.Status(t.Context(), "1")
		if added := s.Authenticators[0].Added.UTC(); err != nil || (name == "fortify" || name == "django") && added.Format(time.DateTime) != "2025-06-07 08:09:10" {
			t.Errorf("%s: added %v, %v", name, added, err)
		}
	}
}
