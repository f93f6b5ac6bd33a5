package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
	"gorm.io/gorm"
)

// Bounds of a password. bcrypt uses only 72 bytes and would silently ignore the rest.
const (
	MinPassword = 8  // characters
	MaxPassword = 72 // bytes
)

// ErrPassword says that a password is too short or too long.
var ErrPassword = errors.New("the password is too short or too long")

// CheckPassword returns ErrPassword if nobody can have that password.
func CheckPassword(password string) error {
	if utf8.RuneCountInString(password) < MinPassword || len(password) > MaxPassword {
		return ErrPassword
	}
	return nil
}

// hash returns the hash of a password, or ErrPassword.
func (s *Store) hash(ctx context.Context, password string) ([]byte, error) {
	if err := CheckPassword(password); err != nil {
		return nil, err
	}
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.slots.Release(1)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), s.cost)
	return hash, doing("hashing a password", err)
}

// SetPassword changes the password and ends all sessions in one write. It returns
// ErrPassword for what the user can correct.
func (s *Store) SetPassword(ctx context.Context, id, password string) error {
	hash, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	return doing("setting a password", s.tables.WithContext(ctx).Model(&User{ID: id}).
		Updates(map[string]any{"password": hash, "generation": gorm.Expr("generation + 1")}).Error)
}

// Authenticate returns the user with that e-mail address and password, or ErrNoUser. Both
// cases of ErrNoUser take the same time.
func (s *Store) Authenticate(ctx context.Context, email, password string) (User, error) {
	u, err := s.ByEmail(ctx, email)
	if errors.Is(err, ErrNoUser) {
		u.Password = s.dummy
	} else if err != nil {
		return User{}, err
	}
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return User{}, err
	}
	defer s.slots.Release(1)
	match := bcrypt.CompareHashAndPassword(u.Password, []byte(password))
	if match != nil || u.ID == "" || len(password) > MaxPassword {
		return User{}, ErrNoUser
	}
	return u, nil
}

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
