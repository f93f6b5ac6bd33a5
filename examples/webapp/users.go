package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Bounds of a password. bcrypt uses only 72 bytes and would silently ignore the
// rest.
const (
	minPassword = 8  // characters
	maxPassword = 72 // bytes
	maxEmail    = 200
)

// What users can correct at sign-up.
var (
	errEmail    = errors.New("not a usable e-mail address")
	errPassword = errors.New("the password is too short or too long")
	errTaken    = errors.New("the e-mail address is taken")
)

// errNoUser says that the user does not exist or that the password is wrong.
// Callers can't tell which.
var errNoUser = errors.New("no such user")

// A user is a person with a password.
type user struct {
	// ID is random and never changes. Two-factor accounts are stored under it.
	// An e-mail address would not do: it can change, and later belong to
	// someone else.
	ID string

	Email  string
	Joined time.Time

	// Role says what the user may do, and whether a mandate applies.
	Role role

	// Language is that of messages to the user: "en" or "de".
	Language string

	// generation is stored in each session of this user. Changing it ends all
	// sessions.
	generation int64
}

func (u user) admin() bool { return u.Role == roleAdmin }

// A role is a class of users.
type role string

const (
	roleAdmin  role = "admin"  // can manage the accounts of others
	roleMember role = "member" // works here
	roleClient role = "client" // only looks at things; a mandate can leave clients out
)

// users is the table of users.
type users struct {
	db    database
	cost  int
	now   func() time.Time
	dummy []byte // a hash of no user's password

	// slots limits how many passwords are hashed at once, because each takes
	// a good part of a second of processor time.
	slots chan struct{}
}

func newUsers(db database, cost int, now func() time.Time) (*users, error) {
	dummy, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
	if err != nil {
		return nil, fmt.Errorf("hashing a password: %w", err)
	}
	return &users{db: db, cost: cost, now: now, dummy: dummy, slots: make(chan struct{}, 4)}, nil
}

// create adds a user. The first user becomes an administrator, because a demo has
// no installer to appoint one. Two users who sign up first at the same moment may
// both become administrators. It returns errEmail, errPassword or errTaken for
// what the user can correct. A real service first sends a link to the address, and
// does not reveal whether the address is known, also not by its response time.
func (u *users) create(ctx context.Context, email, password, language string) (user, error) {
	address, err := mail.ParseAddress(cleanEmail(email))
	if err != nil || address.Name != "" || address.Address != cleanEmail(email) || strings.ContainsFunc(address.Address, isOdd) {
		return user{}, errEmail
	}
	label := totp.Label{Issuer: defaultIssuer, Account: address.Address} // what the authenticator app will show
	if label.Validate() != nil || len(address.Address) > maxEmail {
		return user{}, errEmail
	}
	hash, err := u.hash(ctx, password)
	if err != nil {
		return user{}, err
	}
	added := user{ID: rand.Text(), Email: address.Address, Role: roleMember, Language: language}
	var admins int
	if err := u.db.row(ctx, `SELECT count(*) FROM people WHERE role = ?1`, roleAdmin).Scan(&admins); err != nil {
		return user{}, fmt.Errorf("adding a user: %w", err)
	}
	if admins == 0 {
		added.Role = roleAdmin
	}
	_, err = u.db.exec(ctx, `INSERT INTO people (id, email, password, generation, joined, role, language)
		VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)`, added.ID, added.Email, hash, u.now().Unix(), added.Role, added.Language)
	if err != nil {
		if _, _, taken := u.find(ctx, "email", added.Email); taken == nil {
			return user{}, errTaken
		}
		return user{}, fmt.Errorf("adding a user: %w", err)
	}
	return u.byID(ctx, added.ID)
}

// isOdd reports whether a letter has no place in an address, although a standard may
// allow it: it could make one address look like another.
func isOdd(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// checkPassword returns errPassword if the password is too short or too long.
func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return errPassword
	}
	return nil
}

// hash returns the hash of a password, or errPassword.
func (u *users) hash(ctx context.Context, password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	var hash []byte
	err := u.hashing(ctx, func() (err error) {
		hash, err = bcrypt.GenerateFromPassword([]byte(password), u.cost)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return string(hash), nil
}

// setPassword changes the password and ends all sessions in one write. It returns
// errPassword for what the user can correct.
func (u *users) setPassword(ctx context.Context, id, password string) error {
	hash, err := u.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = u.db.exec(ctx, `UPDATE people SET password = ?1, generation = generation + 1 WHERE id = ?2`, hash, id)
	if err != nil {
		return fmt.Errorf("setting a password: %w", err)
	}
	return nil
}

// authenticate returns the user with that e-mail address and password, or
// errNoUser. Both cases of errNoUser take the same time.
func (u *users) authenticate(ctx context.Context, email, password string) (user, error) {
	found, hash, err := u.find(ctx, "email", cleanEmail(email))
	if errors.Is(err, errNoUser) {
		hash = u.dummy
	} else if err != nil {
		return user{}, err
	}
	match := bcrypt.ErrMismatchedHashAndPassword
	err = u.hashing(ctx, func() error {
		match = bcrypt.CompareHashAndPassword(hash, []byte(password))
		return nil
	})
	if err != nil {
		return user{}, err
	}
	if match != nil || found.ID == "" || len(password) > maxPassword {
		return user{}, errNoUser
	}
	return found, nil
}

// byID returns the user, or errNoUser.
func (u *users) byID(ctx context.Context, id string) (user, error) {
	found, _, err := u.find(ctx, "id", id)
	return found, err
}

// find returns the user with that value in a column, and the password hash.
func (u *users) find(ctx context.Context, column, value string) (found user, hash []byte, err error) {
	if strings.ContainsRune(value, 0) || !utf8.ValidString(value) { // PostgreSQL accepts neither
		return user{}, nil, errNoUser
	}
	var joined int64
	err = u.db.row(ctx, `SELECT id, email, password, generation, joined, role, language FROM people WHERE `+column+` = ?1`, value).
		Scan(&found.ID, &found.Email, &hash, &found.generation, &joined, &found.Role, &found.Language)
	if errors.Is(err, sql.ErrNoRows) {
		return user{}, nil, errNoUser
	}
	if err != nil {
		return user{}, nil, fmt.Errorf("finding a user: %w", err)
	}
	found.Joined = time.Unix(joined, 0).UTC()
	return found, hash, nil
}

// hashing calls f when a slot is free.
func (u *users) hashing(ctx context.Context, f func() error) error {
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func cleanEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
