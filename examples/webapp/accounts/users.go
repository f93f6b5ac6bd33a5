package accounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// What users can correct at sign-up.
var (
	ErrEmail = errors.New("not a usable e-mail address")
	ErrTaken = errors.New("the e-mail address is taken")
)

// A User is a person with a password.
type User struct {
	// ID is random. Two-factor accounts are stored under it, because an e-mail address can
	// change, and later belong to someone else.
	ID string `gorm:"primaryKey;size:255"`

	Email  string `gorm:"uniqueIndex;size:255"`
	Joined int64  // in Unix seconds

	Role     Role   `gorm:"size:255"` // what the user may do
	Language string `gorm:"size:255"` // of messages to the user: "en" or "de"
	Password []byte `json:"-"`        // its hash

	// Generation is stored in each session of this user. Changing it ends all sessions.
	Generation int64
}

// JoinedAt returns when the user signed up.
func (u User) JoinedAt() time.Time { return time.Unix(u.Joined, 0).UTC() }

// Admin reports whether the user can manage the accounts of others.
func (u User) Admin() bool { return u.Role == RoleAdmin }

// A Role is a class of users.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"  // can manage the accounts of others
	RoleMember Role = "member" // works here
	RoleClient Role = "client" // only looks at things; a mandate can leave clients out
)

// Roles are all of them.
var Roles = []Role{RoleMember, RoleClient, RoleAdmin}

// Create adds a user. The first becomes an administrator, because a demo has no installer to
// appoint one; so do two at the same moment. It returns ErrEmail, ErrPassword or ErrTaken for
// what the user can correct. A real service first sends a link to the address, and does not
// reveal whether the address is known, also not by its response time.
func (s *Store) Create(ctx context.Context, email, password, language string) (User, error) {
	u := User{ID: rand.Text(), Email: CleanEmail(email), Joined: s.now().Unix(), Role: RoleMember, Language: language, Generation: 1}
	if !usable(u.Email) {
		return User{}, ErrEmail
	}
	var err error
	if u.Password, err = s.hash(ctx, password); err != nil {
		return User{}, err
	}
	admins, err := s.Count(ctx, RoleAdmin)
	if err != nil {
		return User{}, err
	}
	if admins == 0 {
		u.Role = RoleAdmin
	}
	err = s.tables.WithContext(ctx).Create(&u).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return User{}, ErrTaken
	}
	return u, doing("adding a user", err)
}

// CleanEmail returns an address as it is stored.
func CleanEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// maxEmail is the length of the longest address, in bytes.
const maxEmail = 200

// usable reports whether a user can have the address, and authenticator apps can show it. A
// standard allows more: letters that make one address look like another.
func usable(email string) bool {
	address, err := mail.ParseAddress(email)
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	return err == nil && address.Address == email && !strings.ContainsFunc(email, odd) &&
		len(email) <= maxEmail && totp.Label{Issuer: "Service", Account: email}.Validate() == nil
}

// ByID returns the user, or ErrNoUser.
func (s *Store) ByID(ctx context.Context, id string) (User, error) { return s.find(ctx, "id", id) }

// ByEmail returns the user, or ErrNoUser.
func (s *Store) ByEmail(ctx context.Context, email string) (User, error) {
	return s.find(ctx, "email", CleanEmail(email))
}

func (s *Store) find(ctx context.Context, column, value string) (u User, err error) {
	if !storable(value) {
		return User{}, ErrNoUser
	}
	err = s.tables.WithContext(ctx).Where(map[string]any{column: value}).Take(&u).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return User{}, ErrNoUser
	}
	return u, doing("finding a user", err)
}

// storable reports whether a value can be in the database. PostgreSQL accepts neither NUL nor
// what is no UTF-8, and nothing that is longer is there.
func storable(value string) bool {
	return len(value) <= 255 && utf8.ValidString(value) && !strings.ContainsRune(value, 0)
}

// Search returns the users whose e-mail addresses contain the text, in the order of these.
// It is sorted here, because databases have orders of their own.
func (s *Store) Search(ctx context.Context, text string) (found []User, err error) {
	if !storable(text) {
		return nil, nil
	}
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
	err = s.tables.WithContext(ctx).Omit("Password").Where("email LIKE ? ESCAPE '!'", pattern).Find(&found).Error
	slices.SortFunc(found, func(a, b User) int { return strings.Compare(a.Email, b.Email) })
	return found, doing("listing users", err)
}

// Count returns how many users have the role.
func (s *Store) Count(ctx context.Context, r Role) (n int64, err error) {
	err = s.tables.WithContext(ctx).Model(&User{}).Where("role = ?", r).Count(&n).Error
	return n, doing("counting users", err)
}

// Update writes one field of a user, such as "Role". The others may have changed since the
// user was read.
func (s *Store) Update(ctx context.Context, u User, field string) error {
	return doing("changing a user", s.tables.WithContext(ctx).Select(field).Updates(&u).Error)
}

// Remove deletes the user. This ends the user's sessions.
func (s *Store) Remove(ctx context.Context, id string) error {
	if err := s.RemoveLinks(ctx, id); err != nil {
		return err
	}
	return doing("deleting a user", s.tables.WithContext(ctx).Where("id = ?", id).Delete(&User{}).Error)
}

// doing says what was tried when the error occurred, if it is one.
func doing(what string, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return err
}
