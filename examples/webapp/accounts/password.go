package accounts

import (
	"context"
	"errors"
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
