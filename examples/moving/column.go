package main

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// columnQuery is for a table of the application's own, as users of pquerna/otp have.
// Yours is different: pass it with -query.
const columnQuery = `SELECT id, totp_secret FROM users WHERE totp_secret <> '' ORDER BY id`

// fromColumn reads a column that holds the secret in base32 or the whole otpauth URI.
func fromColumn(ctx context.Context, db *sql.DB, query string) source {
	return fromRows(ctx, db, query, func(rows *sql.Rows) (u user, has bool, err error) {
		var secret sql.NullString
		if err := rows.Scan(&u.id, &secret); err != nil {
			return u, false, err
		}
		text := strings.TrimSpace(secret.String)
		var key totp.Key
		if strings.HasPrefix(strings.ToLower(text), "otpauth:") {
			key, _, err = totp.ShortSecrets{}.ParseURI(text)
		} else {
			key, err = base32Key(text) // with other Params if you call ValidateCustom
		}
		u.add("Authenticator", time.Time{}, key, err)
		return u, text != "", nil
	})
}
