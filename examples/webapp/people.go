package main

import (
	"context"
	"fmt"
	"time"
)

// page returns up to limit users in the order of their e-mail addresses, starting
// after the given address.
func (u *users) page(ctx context.Context, after string, limit int) ([]user, error) {
	rows, err := u.db.QueryContext(ctx,
		u.db.sql(`SELECT id, email, joined, admin = 1, exempt = 1 FROM users WHERE email > ?1 ORDER BY email LIMIT ?2`), after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	defer rows.Close()
	var list []user
	for rows.Next() {
		var x user
		var joined int64
		if err := rows.Scan(&x.ID, &x.Email, &joined, &x.Admin, &x.Exempt); err != nil {
			return nil, fmt.Errorf("listing users: %w", err)
		}
		x.Joined = time.Unix(joined, 0).UTC()
		list = append(list, x)
	}
	return list, rows.Err()
}

// exempt returns the exempt users in the order of their e-mail addresses.
func (u *users) exempt(ctx context.Context) ([]user, error) {
	rows, err := u.db.QueryContext(ctx, `SELECT id, email FROM users WHERE exempt = 1 ORDER BY email`)
	if err != nil {
		return nil, fmt.Errorf("listing exempt users: %w", err)
	}
	defer rows.Close()
	var list []user
	for rows.Next() {
		x := user{Exempt: true}
		if err := rows.Scan(&x.ID, &x.Email); err != nil {
			return nil, fmt.Errorf("listing exempt users: %w", err)
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// setFlag sets the column "admin" or "exempt" of a user.
func (u *users) setFlag(ctx context.Context, id, flag string, on bool) error {
	value := 0
	if on {
		value = 1
	}
	_, err := u.db.ExecContext(ctx, u.db.sql(`UPDATE users SET `+flag+` = ?1 WHERE id = ?2`), value, id)
	if err != nil {
		return fmt.Errorf("changing a user: %w", err)
	}
	return nil
}

// remove deletes the user. This ends the user's sessions.
func (u *users) remove(ctx context.Context, id string) error {
	for _, statement := range []string{`DELETE FROM password_links WHERE user_id = ?1`, `DELETE FROM users WHERE id = ?1`} {
		if _, err := u.db.ExecContext(ctx, u.db.sql(statement), id); err != nil {
			return fmt.Errorf("deleting a user: %w", err)
		}
	}
	return nil
}
