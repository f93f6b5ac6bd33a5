package main

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// deviseQuery reads the columns that devise-two-factor adds, since its version 5. An
// application without the module two_factor_backupable has no otp_backup_codes: select
// NULL instead.
const deviseQuery = `SELECT id, otp_secret, otp_backup_codes FROM users WHERE otp_required_for_login ORDER BY id`

// fromDevise reads the users of devise-two-factor.
func fromDevise(ctx context.Context, db *sql.DB, query string, keys railsKeys) source {
	return fromRows(ctx, db, query, func(rows *sql.Rows) (u user, has bool, err error) {
		var secret, codes sql.NullString
		if err := rows.Scan(&u.id, &secret, &codes); err != nil {
			return u, false, err
		}
		if !secret.Valid {
			u.leave("otp_secret is empty: the secret may be in encrypted_otp_secret, from before version 5")
			return u, true, nil
		}
		text, err := keys.decrypt(secret.String)
		if err != nil {
			u.leave("otp_secret: %v", err)
			return u, true, nil
		}
		key, err := base32Key(text)
		u.add("Authenticator", time.Time{}, key, err)
		u.addBcrypt(codes.String)
		return u, true, nil
	})
}

// bcryptHash is one hash. A list of them is an array of PostgreSQL, JSON or YAML, and
// betweenHashes is all that these have around the hashes.
var (
	bcryptHash    = regexp.MustCompile(`\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}`)
	betweenHashes = regexp.MustCompile(`^[\s{}\[\]"',-]*$`)
)

// maxCost is what an account takes of bcrypt: 16 hashes of cost 10, 8 of 11, or 4 of 12.
const maxCost = 16 << 10

// addBcrypt adds the hashes in a list, as many as an account takes. Devise has cost 12
// by default, and devise-two-factor makes five codes: if all are unused, the last one
// stays behind.
func (u *user) addBcrypt(list string) {
	if !betweenHashes.MatchString(bcryptHash.ReplaceAllString(list, "")) {
		u.leave("otp_backup_codes: not a list of bcrypt hashes")
		return
	}
	sum := uint64(0)
	for i, hash := range bcryptHash.FindAllString(strings.TrimSpace(list), -1) {
		cost, err := bcrypt.Cost([]byte(hash))
		fits := err == nil && sum+1<<cost <= maxCost
		if fits {
			sum += 1 << cost
		}
		u.addHash(fmt.Sprintf("backup code %d", i+1), fits, "all together cost too much to compare", []byte(hash))
	}
}
