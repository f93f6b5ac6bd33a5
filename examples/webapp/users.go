package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
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

	// Admin can manage the accounts of others. A mandate does not apply to
	// Exempt users, for example clients who only look at things.
	Admin, Exempt bool

	// generation is stored in each session of this user. Changing it ends all
	// sessions.
	generation int64
}

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
func (u *users) create(ctx context.Context, email, password string) (user, error) {
	email = cleanEmail(email)
	at := strings.LastIndexByte(email, '@')
	label := totp.Label{Issuer: defaultIssuer, Account: email} // what the authenticator app will show
	if at < 1 || at == len(email)-1 || label.Validate() != nil {
		return user{}, errEmail
	}
	hash, err := u.hash(ctx, password)
	if err != nil {
		return user{}, err
	}
	id := rand.Text()
	result, err := u.db.ExecContext(ctx, u.db.sql(`INSERT INTO users (id, email, password, generation, joined, admin)
		VALUES (?1, ?2, ?3, 1, ?4, CASE WHEN EXISTS (SELECT 1 FROM users WHERE admin = 1) THEN 0 ELSE 1 END)
		ON CONFLICT (email) DO NOTHING`),
		id, email, hash, u.now().Unix())
	if err != nil {
		return user{}, fmt.Errorf("adding a user: %w", err)
	}
	added, err := result.RowsAffected()
	if err != nil {
		return user{}, fmt.Errorf("adding a user: %w", err)
	}
	if added == 0 {
		return user{}, errTaken
	}
	return u.byID(ctx, id)
}

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
	_, err = u.db.ExecContext(ctx, u.db.sql(`UPDATE users SET password = ?1, generation = generation + 1 WHERE id = ?2`), hash, id)
	if err != nil {
		return fmt.Errorf("setting a password: %w", err)
	}
	return nil
}

// authenticate returns the user with that e-mail address and password, or
// errNoUser. Both cases of errNoUser take the same time.
//
// It does not limit guesses. A real service needs a limit per IP address and per
// account, in the application or in a proxy. The library's limits begin after the
// first factor.
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
	err = u.db.QueryRowContext(ctx,
		u.db.sql(`SELECT id, email, password, generation, joined, admin = 1, exempt = 1 FROM users WHERE `+column+` = ?1`), value).
		Scan(&found.ID, &found.Email, &hash, &found.generation, &joined, &found.Admin, &found.Exempt)
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
