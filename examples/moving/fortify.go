package main

import (
	"context"
	"database/sql"
	"encoding/json"
)

// fortifyQuery reads the columns that Laravel Fortify adds. It leaves out setups that
// are not confirmed. Without the option `confirm` of Fortify nobody has a
// two_factor_confirmed_at: pass the query without that condition.
const fortifyQuery = `SELECT id, two_factor_secret, two_factor_recovery_codes, two_factor_confirmed_at FROM users
	WHERE two_factor_secret IS NOT NULL AND two_factor_confirmed_at IS NOT NULL ORDER BY id`

// fromFortify reads the users of Laravel Fortify.
func fromFortify(ctx context.Context, db *sql.DB, query string, keys laravelKeys) source {
	return fromRows(ctx, db, query, func(rows *sql.Rows) (u user, has bool, err error) {
		var secret, codes sql.NullString
		var confirmed moment
		if err := rows.Scan(&u.id, &secret, &codes, &confirmed); err != nil {
			return u, false, err
		}
		text, err := keys.decrypt(secret.String)
		if err != nil {
			u.leave("two_factor_secret: %v", err)
			return u, secret.Valid, nil
		}
		key, err := base32Key(text)
		u.add("Authenticator", confirmed.Time, key, err)
		if codes.Valid {
			u.addFortifyCodes(keys.decrypt(codes.String))
		}
		return u, secret.Valid, nil
	})
}

// addFortifyCodes adds recovery codes from a JSON list.
func (u *user) addFortifyCodes(text string, err error) {
	if err != nil {
		u.leave("two_factor_recovery_codes: %v", err)
		return
	}
	var codes []string
	if json.Unmarshal([]byte(text), &codes) != nil {
		u.leave("two_factor_recovery_codes: not a JSON list of codes")
		return
	}
	u.addCodes(codes)
}
