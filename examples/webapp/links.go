package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// linkTTL is the lifetime of a link to change a password.
const linkTTL = 30 * time.Minute

// links is the table of links that change a password. It holds hashes, so that a
// reader of the database can't use a link.
type links struct {
	db  database
	now func() time.Time
}

// add creates a link for the user. With an empty id it takes the same time, but
// the link does not work.
func (t links) add(ctx context.Context, userID string) (token string, err error) {
	token = rand.Text()
	_, err = t.db.exec(ctx, `INSERT INTO password_links (hash, user_id, expires) VALUES (?1, ?2, ?3)`,
		hashLink(token), userID, t.now().Add(linkTTL).Unix())
	if err != nil {
		return "", fmt.Errorf("creating a link: %w", err)
	}
	return token, nil
}

// find returns the id of the user whose link it is, or errNoUser.
func (t links) find(ctx context.Context, hash string) (userID string, err error) {
	err = t.db.row(ctx, `SELECT user_id FROM password_links WHERE hash = ?1 AND expires > ?2`,
		hash, t.now().Unix()).Scan(&userID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoUser
	}
	if err != nil {
		return "", fmt.Errorf("finding a link: %w", err)
	}
	return userID, nil
}

// spend deletes the link. It returns errNoUser if the link is gone, so that only
// one of two simultaneous requests succeeds.
func (t links) spend(ctx context.Context, hash string) error {
	result, err := t.db.exec(ctx, `DELETE FROM password_links WHERE hash = ?1`, hash)
	if err != nil {
		return fmt.Errorf("spending a link: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errNoUser, err)
	}
	return nil
}

func (t links) removeOf(ctx context.Context, userID string) error {
	_, err := t.db.exec(ctx, `DELETE FROM password_links WHERE user_id = ?1`, userID)
	if err != nil {
		return fmt.Errorf("deleting links: %w", err)
	}
	return nil
}

func hashLink(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
