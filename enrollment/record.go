package enrollment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A base is what decisions are based on: a record and its encoded account. Each try
// decodes an account of its own from it.
type base struct {
	record    store.Record // as the store returned it; the zero Record if it has none
	found     bool         // whether the store has a record
	opened    bool
	plaintext []byte

	// misfiled says that the store's Due differed from the account's, because
	// somebody has written to the database. The record above then has the account's.
	misfiled bool
}

// account returns the account as it was saved, or a new one if the store has no
// record. The record's Due is in clear so that a store can list by it. It is not
// trusted: the sealed account says when something is due.
func (b *base) account(m account.Moment) (*account.Account, error) {
	if !b.found {
		return account.New(m), nil
	}
	a, err := account.Decode(b.plaintext)
	if err != nil {
		return nil, unreadable(err)
	}
	if store.State(a.State()) != b.record.State {
		return nil, fmt.Errorf("%w: the record and the account in it disagree on the state", ErrCorrupt)
	}
	due, err := a.Due()
	if err != nil {
		return nil, unreadable(err)
	}
	if !due.Equal(b.record.Due) {
		b.record.Due, b.misfiled = due, true
	}
	return a, nil
}

// holds reports whether b is the very record that was sent. Two that are sealed
// never have the same bytes.
func (b *base) holds(sent store.Record) bool {
	return b.found && b.record.Version == sent.Version && bytes.Equal(b.record.Data, sent.Data)
}

// load returns what the store has of the user, not opened yet.
func (g *Guard) load(ctx context.Context, userID string) (*base, error) {
	rec, err := g.store.Load(ctx, userID)
	if errors.Is(err, store.ErrNotFound) {
		if err = absent(ctx); err == nil {
			return new(base), nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("enrollment: loading the account: %w", err)
	}
	return &base{record: rec, found: true}, nil
}

// absent returns nil if a store that has found nothing, or nothing left to erase,
// is to be believed: the context has not ended. A store that takes its end for
// absence would switch the second factor off, leave accounts out of listings, or
// keep what was to be erased.
func absent(ctx context.Context) error { return ctx.Err() }

// mend brings a loaded account up to now and to the configuration.
func (g *Guard) mend(a *account.Account, m account.Moment) {
	a.ClampFuture(m)
	a.Tidy(m)
	if !g.config.KeepCodes {
		a.DropKept()
	}
}

// peek loads the account for reading.
func (g *Guard) peek(ctx context.Context, userID string) (account.Moment, *account.Account, error) {
	if err := validUser(userID); err != nil {
		return account.Moment{}, nil, err
	}
	m, err := g.moment(ctx)
	if err != nil {
		return m, nil, err
	}
	b, err := g.load(ctx, userID)
	if err != nil {
		return m, nil, err
	}
	if err := g.open(ctx, userID, b); err != nil {
		return m, nil, err
	}
	a, err := b.account(m)
	if err != nil {
		return m, nil, err
	}
	if err := movedError(a.Move()); err != nil {
		return m, nil, err
	}
	g.mend(a, m)
	return m, a, nil
}

func validUser(userID string) error {
	if err := store.ValidateUserID(userID); err != nil {
		return fmt.Errorf("enrollment: %w", err)
	}
	return nil
}

// open decrypts the account in a record, whose Data is good for nothing after
// that. A record that is not exactly what was saved for that user is ErrCorrupt:
// never "not enrolled".
func (g *Guard) open(ctx context.Context, userID string, b *base) error {
	if b.opened || !b.found {
		b.opened = true
		return nil
	}
	rec := b.record
	if rec.UserID != userID {
		return fmt.Errorf("%w: %w", ErrCorrupt, errAnother)
	}
	if rec.Version == 0 {
		return fmt.Errorf("%w: the store can't read the record", ErrCorrupt)
	}
	if err := rec.Validate(); err != nil {
		// Without its chain: it is not the caller's argument that is invalid.
		return fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	if len(rec.Data) <= len(g.mark) { // emptied, or cut off: there is no mark of any namespace
		return fmt.Errorf("%w: %w", ErrCorrupt, keyring.ErrDamaged)
	}
	sealed, ok := bytes.CutSuffix(rec.Data, g.mark[:])
	if !ok {
		return fmt.Errorf("%w: %w", ErrCorrupt, errNamespace)
	}
	scope, binding := g.recordPlace(rec)
	plaintext, err := g.sealer.Open(ctx, scope, binding, sealed)
	if errors.Is(err, keyring.ErrOpen) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return fmt.Errorf("enrollment: opening the account: %w", err)
	}
	b.plaintext, b.opened = plaintext, true
	return nil
}

// read opens and decodes the account in a record that was listed.
func (g *Guard) read(ctx context.Context, rec store.Record) (*account.Account, error) {
	b := &base{record: rec, found: true}
	if err := g.open(ctx, rec.UserID, b); err != nil {
		return nil, err
	}
	return b.account(account.Moment{})
}

// seal returns the record that replaces version prev: the account as it is now.
func (g *Guard) seal(ctx context.Context, userID string, a *account.Account, prev int64, m account.Moment) (*base, error) {
	due, err := a.Due()
	if err != nil {
		return nil, unreadable(err)
	}
	rec := store.Record{
		UserID:  userID,
		Version: m.Version(prev, store.MaxVersion),
		State:   store.State(a.State()),
		Due:     due,
		Updated: m.Now,
	}
	a.Stamp(m)
	plaintext, err := a.Encode()
	if err != nil {
		return nil, outward(fmt.Errorf("enrollment: encoding the account: %w", err))
	}
	scope, binding := g.recordPlace(rec)
	sealed, err := g.sealer.Seal(ctx, scope, binding, plaintext)
	if err != nil {
		return nil, sealingError(err)
	}
	rec.Data = append(sealed, g.mark[:]...)
	if len(rec.Data) > store.MaxData {
		return nil, sealingError(errors.New("the sealer adds more than 128 bytes"))
	}
	return &base{record: rec, found: true, opened: true, plaintext: plaintext}, nil
}

// errAnother is the reason why a record of another user is ErrCorrupt.
var errAnother = errors.New("the store returned the record of another user")

// errNamespace is the reason why a record without the Guard's mark is ErrCorrupt.
var errNamespace = errors.New("saved under another Config.Namespace, or damaged")

// A namespaceMark ends the data of every record, outside the seal. It tells a
// namespace that has changed from damage, which sealed bytes alone can't, and it
// protects nothing: scope and binding do that. A namespace is no secret, so a
// few bytes of its hash may stand in clear.
type namespaceMark [4]byte

func markOf(namespace string) namespaceMark {
	sum := sha256.Sum256(parts(labelNamespace, namespace))
	return namespaceMark(sum[:4])
}

// recordPlace returns the scope and the binding of a record. The scope is whose
// it is. The binding ties the sealed account to its place: another user's row,
// another version and another state do not open.
func (g *Guard) recordPlace(rec store.Record) (scope, binding []byte) {
	var version [8]byte
	binary.BigEndian.PutUint64(version[:], uint64(rec.Version))
	binding = parts(labelRecord, g.config.Namespace, rec.UserID, string(version[:]), rec.State.String())
	end := partsLen(labelRecord, g.config.Namespace, rec.UserID)
	return binding[:end:end], binding
}
