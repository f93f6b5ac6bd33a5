package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// page returns up to limit users in the order of their e-mail addresses, starting after
// the given address. The address contains the text that is searched for.
func (u *users) page(ctx context.Context, search, after string, limit int) ([]user, error) {
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(search) + "%"
	rows, err := u.db.query(ctx, `SELECT id, email, joined, role FROM people
		WHERE email > ?1 AND email LIKE ?2 ESCAPE '!' ORDER BY email LIMIT ?3`, after, pattern, limit)
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	defer rows.Close()
	var list []user
	for rows.Next() {
		var x user
		var joined int64
		if err := rows.Scan(&x.ID, &x.Email, &joined, &x.Role); err != nil {
			return nil, fmt.Errorf("listing users: %w", err)
		}
		x.Joined = time.Unix(joined, 0).UTC()
		list = append(list, x)
	}
	return list, rows.Err()
}

// count returns how many users have the role.
func (u *users) count(ctx context.Context, r role) (n int, err error) {
	err = u.db.row(ctx, `SELECT count(*) FROM people WHERE role = ?1`, r).Scan(&n)
	return n, err
}

// setRole changes the role of a user.
func (u *users) setRole(ctx context.Context, id string, r role) error {
	if _, err := u.db.exec(ctx, `UPDATE people SET role = ?1 WHERE id = ?2`, r, id); err != nil {
		return fmt.Errorf("changing a user: %w", err)
	}
	return nil
}

// setLanguage notes the language of messages to the user.
func (u *users) setLanguage(ctx context.Context, id, language string) error {
	if _, err := u.db.exec(ctx, `UPDATE people SET language = ?1 WHERE id = ?2`, language, id); err != nil {
		return fmt.Errorf("changing a user: %w", err)
	}
	return nil
}

// remove deletes the user. This ends the user's sessions.
func (u *users) remove(ctx context.Context, id string) error {
	for _, statement := range []string{`DELETE FROM password_links WHERE user_id = ?1`, `DELETE FROM people WHERE id = ?1`} {
		if _, err := u.db.exec(ctx, statement, id); err != nil {
			return fmt.Errorf("deleting a user: %w", err)
		}
	}
	return nil
}
