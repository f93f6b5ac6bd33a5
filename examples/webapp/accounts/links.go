package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"gorm.io/gorm"
)

// LinkTTL is the lifetime of a link to a new password.
const LinkTTL = 30 * time.Minute

// A link changes a password. The table holds its hash, so that a reader of the database
// can't use it.
type link struct {
	Hash    string `gorm:"primaryKey;size:255"`
	UserID  string `gorm:"size:255"`
	Expires int64
}

// AddLink creates a link for the user. With an empty id it takes the same time, but the
// link does not work.
func (s *Store) AddLink(ctx context.Context, userID string) (token string, err error) {
	token = rand.Text()
	added := link{HashLink(token), userID, s.now().Add(LinkTTL).Unix()}
	return token, doing("creating a link", s.tables.WithContext(ctx).Create(&added).Error)
}

// ByLink returns the user whose link has that hash, or ErrNoUser.
func (s *Store) ByLink(ctx context.Context, hash string) (User, error) {
	var l link
	err := s.tables.WithContext(ctx).Where("hash = ? AND expires > ?", hash, s.now().Unix()).Take(&l).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return User{}, ErrNoUser
	}
	if err != nil {
		return User{}, doing("finding a link", err)
	}
	return s.ByID(ctx, l.UserID)
}

// SpendLink deletes the link. It returns ErrNoUser if the link is gone, so that only one of
// two simultaneous requests succeeds.
func (s *Store) SpendLink(ctx context.Context, hash string) error {
	done := s.tables.WithContext(ctx).Where("hash = ?", hash).Delete(&link{})
	if done.Error == nil && done.RowsAffected == 0 {
		return ErrNoUser
	}
	return doing("spending a link", done.Error)
}

// RemoveLinks deletes all links of the user.
func (s *Store) RemoveLinks(ctx context.Context, userID string) error {
	return doing("deleting links", s.tables.WithContext(ctx).Where("user_id = ?", userID).Delete(&link{}).Error)
}

// HashLink returns the hash of the token of a link.
func HashLink(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
