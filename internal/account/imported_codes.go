package account

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/cryptobyte"
)

// MaxImported is how many recovery codes of another system an account takes
// over.
const MaxImported = 16

// maxImportedWork bounds what it costs to hold a text against a list of codes, in
// rounds of bcrypt, since every hash is tried: as much as a full list of cost
// 10, which is what most systems use. A record that somebody could write to must
// not be able to ask for more either: cost 31 takes days.
const maxImportedWork = MaxImported << 10

// An ImportedScheme is how another system has hashed its recovery codes.
type ImportedScheme uint8

// The schemes. Their numbers are stored.
const (
	ImportedSHA256 ImportedScheme = iota + 1
	ImportedBcrypt
)

// An ImportedCode is a recovery code of another system, by its hash.
type ImportedCode struct {
	Scheme ImportedScheme
	Hash   []byte
	Used   time.Time // when it was used; zero if it was not
}

// bcryptText is a hash of bcrypt with its version, cost, salt and sum. The letters
// a, b and y name the same function: implementations have corrected it at
// different times.
var bcryptText = regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`)

// CheckImported returns an error, fit for a programmer, if an account can't take
// these codes over.
func CheckImported(codes []ImportedCode) error {
	if len(codes) > MaxImported {
		return fmt.Errorf("more than %d hashes", MaxImported)
	}
	var work uint64 // an int can have 32 bits, and cost 31 would be negative
	for i, c := range codes {
		switch c.Scheme {
		case ImportedSHA256:
			if len(c.Hash) != sha256.Size {
				return errors.New("one is not a hash of SHA-256")
			}
		case ImportedBcrypt:
			cost, err := bcrypt.Cost(c.Hash)
			if err != nil || !bcryptText.Match(c.Hash) {
				return errors.New("one is not 32 bytes of SHA-256 or the text form of bcrypt")
			}
			if work += 1 << cost; work > maxImportedWork {
				return fmt.Errorf("together they cost more than %d hashes of bcrypt with cost 10", MaxImported)
			}
		default:
			return errors.New("one is of an unknown scheme")
		}
		// It would count as two, and be used once.
		if slices.ContainsFunc(codes[:i], func(x ImportedCode) bool { return slices.Equal(x.Hash, c.Hash) }) {
			return errors.New("one occurs twice")
		}
	}
	return nil
}

// An ImportedTry is a text that was held against the imported codes of an account.
type ImportedTry struct {
	List  [32]byte // of the codes it was held against, see ImportedList
	Match int      // the place of the code that it is; -1 if it is none
}

// importedLeft returns how many of them were not used.
func (a *Account) importedLeft() (n int, err error) {
	codes, err := a.imported.get(decodeImported)
	if err != nil {
		return 0, err
	}
	for _, c := range *codes {
		if c.Used.IsZero() {
			n++
		}
	}
	return n, nil
}

// ImportedList identifies the hashes of a list, whether they were used or not.
func ImportedList(codes []ImportedCode) [32]byte {
	h := sha256.New()
	for _, c := range codes {
		h.Write([]byte{byte(c.Scheme), byte(len(c.Hash))})
		h.Write(c.Hash)
	}
	return [32]byte(h.Sum(nil))
}

// checkImported evaluates a text against the codes of the other system. Nothing
// replaces one that is used, whatever Guess.Replenish says.
func (a *Account) checkImported(m Moment) (Match, error) {
	if err := a.recovery.blocked(importedPolicy, m.Now); err != nil {
		return Match{}, err
	}
	codes, err := a.imported.get(decodeImported)
	if err != nil {
		return Match{}, err
	}
	try := m.Prepared.Imported
	if try == nil || try.List != ImportedList(*codes) {
		return Match{}, a.ask(Need{Kind: NeedImported, Imported: slices.Clone(*codes)})
	}
	if try.Match < 0 || try.Match >= len(*codes) {
		return Match{}, a.fail(m, &a.recovery, importedPolicy, Recovery, 1)
	}
	c := &(*codes)[try.Match]
	if !c.Used.IsZero() {
		return Match{}, a.spentAgain(m, importedPolicy)
	}
	c.Used = later(m.Now, time.Unix(1, 0).UTC()) // used, also under a clock that shows nothing
	a.imported.touch()
	return Match{Factor: Recovery}, a.recovered(m)
}

func appendImported(b []byte, c *ImportedCode) ([]byte, error) {
	b = appendInt(append(b, byte(c.Scheme)), micros(c.Used))
	return append(b, c.Hash...), nil
}

func decodeImported(b []byte) ([]ImportedCode, error) {
	codes, err := readList(b, MaxImported, func(in cryptobyte.String) (c ImportedCode, err error) {
		var used int64
		if !in.ReadUint8((*uint8)(&c.Scheme)) || !readInt(&in, &used) {
			return c, ErrDamaged
		}
		c.Used, c.Hash = fromMicros(used), in
		return c, nil
	})
	if err == nil && CheckImported(codes) != nil {
		err = ErrDamaged
	}
	return codes, err
}
