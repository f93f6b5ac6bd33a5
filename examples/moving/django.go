package main

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A djangoDevice is a row of otp_totp_totpdevice.
type djangoDevice struct {
	userID, name, key string
	step, t0, drift   int64
	digits            int
	created           moment
}

// fromDjango reads the tables of django-otp, with or without django-two-factor-auth.
// It leaves out devices that are not confirmed.
func fromDjango(ctx context.Context, db *sql.DB) source {
	return func(yield func(user, error) bool) {
		tokens, err := djangoTokens(ctx, db)
		if err != nil {
			yield(user{}, err)
			return
		}
		devices, err := djangoDevices(ctx, db)
		if err != nil {
			yield(user{}, err)
			return
		}
		for len(devices) > 0 {
			u := user{id: devices[0].userID}
			for len(devices) > 0 && devices[0].userID == u.id {
				u.addDjango(devices[0])
				devices = devices[1:]
			}
			u.addCodes(tokens[u.id])
			delete(tokens, u.id)
			if !yield(u, nil) {
				return
			}
		}
		for _, id := range slices.Sorted(maps.Keys(tokens)) {
			u := user{id: id}
			u.leave("backup tokens alone, without a device of an app")
			if !yield(u, nil) {
				return
			}
		}
	}
}

// djangoDevices returns the confirmed devices, those of a user together.
func djangoDevices(ctx context.Context, db *sql.DB) (list []djangoDevice, err error) {
	created := "d.created_at"
	if probe, err := db.QueryContext(ctx, `SELECT created_at FROM otp_totp_totpdevice WHERE 1 = 0`); err != nil {
		created = "NULL" // before version 1.4
	} else if err := probe.Close(); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT d.user_id, d.name, d.key, d.step, d.t0, d.drift, d.digits, `+created+
		` FROM otp_totp_totpdevice d WHERE d.confirmed ORDER BY d.user_id, d.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d djangoDevice
		if err := rows.Scan(&d.userID, &d.name, &d.key, &d.step, &d.t0, &d.drift, &d.digits, &d.created); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// djangoTokens returns the unused backup tokens by user.
func djangoTokens(ctx context.Context, db *sql.DB) (map[string][]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT d.user_id, t.token FROM otp_static_statictoken t
		JOIN otp_static_staticdevice d ON d.id = t.device_id WHERE d.confirmed ORDER BY t.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tokens := make(map[string][]string)
	for rows.Next() {
		var userID, token string
		if err := rows.Scan(&userID, &token); err != nil {
			return nil, err
		}
		tokens[userID] = append(tokens[userID], token)
	}
	return tokens, rows.Err()
}

// addDjango adds a device, or says why it stays behind.
func (u *user) addDjango(d djangoDevice) {
	switch {
	case d.t0 != 0:
		u.leave("%s: it counts from another time (t0)", fit(d.name))
		return
	case d.drift < -1 || d.drift > 1:
		u.leave("%s: the setting of its clock, which is off by %d steps (drift): its user has to set it", fit(d.name), d.drift)
	}
	secret, err := totp.ShortSecrets{}.ParseHexSecret(d.key)
	key, err := newKey(secret, err, totp.Params{Digits: d.digits, Period: time.Duration(d.step) * time.Second})
	u.add(fit(d.name), d.created.Time, key, err)
}
