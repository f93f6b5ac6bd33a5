package main

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A user is somebody's second factor as the old system has it.
type user struct {
	id     string            // in the old system; if yours differ, translate them here
	take   enrollment.Import // what Admin.Import takes
	hashes []string          // of the recovery codes in take
	behind []string          // what does not move, in words without secrets
}

// A source yields the users of an old system who have a second factor. An error ends
// it: then the system can't be read. What is wrong with one user is no such error: that
// user has no authenticator, and behind says why.
type source = iter.Seq2[user, error]

// add adds an authenticator, or says why it stays behind.
func (u *user) add(name string, added time.Time, key totp.Key, err error) {
	if err != nil {
		u.leave("%s: %v", name, err)
		return
	}
	u.take.Authenticators = append(u.take.Authenticators, enrollment.ImportedAuthenticator{
		Key: key, Name: fit(name), Added: added,
	})
}

// leave notes what stays behind.
func (u *user) leave(format string, args ...any) {
	u.behind = append(u.behind, fmt.Sprintf(format, args...))
}

// fit makes a name that the library takes of one that the old system took.
func fit(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, " "))
	for len(name) > enrollment.MaxName {
		runes := []rune(name)
		name = string(runes[:len(runes)-1])
	}
	return strings.TrimSpace(name)
}

// newKey reads a secret and the kind of code. Secrets of 80 bits or more are read: the
// Guard refuses those of fewer than 128 unless Config.ShortSecretsUntil is set.
func newKey(secret totp.Secret, err error, p totp.Params) (totp.Key, error) {
	if err != nil {
		return totp.Key{}, err
	}
	return totp.NewKey(secret, p)
}

// base32Key reads a secret in base32 of SHA-1, six digits and 30 seconds.
func base32Key(text string) (totp.Key, error) {
	secret, err := totp.ShortSecrets{}.ParseSecret(text)
	return newKey(secret, err, totp.Params{})
}

// errNothing is for users without any authenticator that can be read.
var errNothing = errors.New("no authenticator that can move")

// why says why nothing of the user moves; nil if something does.
func (u *user) why() error {
	if len(u.take.Authenticators) > 0 {
		return nil
	}
	if len(u.behind) == 0 {
		return errNothing
	}
	return errors.New(strings.Join(u.behind, "; "))
}

// short reports whether one of the secrets has fewer than 128 bits.
func (u *user) short() bool {
	return slices.ContainsFunc(u.take.Authenticators, func(a enrollment.ImportedAuthenticator) bool {
		return a.Key.Secret().Short()
	})
}
