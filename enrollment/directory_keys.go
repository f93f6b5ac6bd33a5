package enrollment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store"
)

const (
	// keySample is how many accounts of each state CheckKeys opens.
	keySample = 25

	// keyPages is how many pages CheckKeys asks for to find them. A store may
	// return pages that hold fewer records than asked for, or none.
	keyPages = 4

	// keyReasons is how many different reasons CheckKeys reports.
	keyReasons = 5
)

// CheckKeys opens some of the stored accounts and returns an error if the keys of the
// [Sealer] or Config.Namespace do not fit them. An application calls it once at start, by
// [Open] or itself, before it serves, and does not start if it fails. With the wrong keys
// no enrolled user can sign in, and new accounts are sealed under keys that will be gone
// when the right ones are back.
//
// The error then matches [ErrWrongKeys], also if every account that was looked at is
// damaged. Its text says what is wrong for each kind of failure, with an example of a
// user and a key. It wraps the errors of these accounts, which match [ErrCorrupt]. With
// a [keyring.Ring] it also matches [keyring.ErrUnknownKey] if a key is missing, and
// [keyring.ErrWrongKey] if another key has its id. Any other error means that the check
// could not be made: it comes from the store, the Sealer or the context. CheckKeys
// returns nil if there are no accounts.
//
// CheckKeys opens at most 25 accounts of each state, those with the lowest user
// ids, so it takes the same time for any number of accounts. Other accounts can
// still be sealed under a missing key. Before a key is dropped, [Directory.Reseal]
// opens them all. CheckKeys ignores damaged accounts if others open, because the
// keys are then right. It writes nothing.
func (d *Directory) CheckKeys(ctx context.Context) error {
	var c keyCheck
	for state := store.None; state <= store.Disabled; state++ {
		left, pages := keySample, 0
		for page, err := range d.pages(ctx, store.Query{States: []store.State{state}, Limit: keySample}) {
			if err != nil {
				return err
			}
			for _, rec := range page.Records[:min(left, len(page.Records))] {
				if err := d.checkKey(ctx, rec, &c); err != nil {
					return err
				}
				left--
			}
			if pages++; left == 0 || pages == keyPages {
				break
			}
		}
	}
	return c.err()
}

// A keyCheck is what CheckKeys has found so far.
type keyCheck struct {
	opened  int
	unfit   Failures             // the keys do not fit
	foreign map[string][]Failure // the namespace does not fit, by the mark in its place
	damaged Failures             // anything else
}

// checkKey opens one account. It returns an error if it can't decide whether the
// keys fit.
func (d *Directory) checkKey(ctx context.Context, rec store.Record, c *keyCheck) error {
	key, _ := d.guard.sealedBy(rec.Data)
	_, err := d.guard.read(ctx, rec)
	switch ended := ctx.Err(); {
	case ended != nil:
		return fmt.Errorf("enrollment: checking the keys: %w", ended)
	case err == nil, errors.Is(err, ErrNewer): // the key has opened it
		c.opened++
		return nil
	case !errors.Is(err, ErrCorrupt):
		return err
	}
	if key != "" {
		err = fmt.Errorf("%w (the record names the key %q)", err, key)
	}
	switch {
	case errors.Is(err, errNamespace):
		if c.foreign == nil {
			c.foreign = make(map[string][]Failure)
		}
		mark := string(rec.Data[len(rec.Data)-len(d.guard.mark):])
		c.foreign[mark] = append(c.foreign[mark], Failure{rec.UserID, err})
	case errors.Is(err, keyring.ErrOpen) && !errors.Is(err, keyring.ErrDamaged):
		c.unfit.add(rec.UserID, err)
	default:
		c.damaged.add(rec.UserID, err)
	}
	return nil
}

// err returns the result of CheckKeys, with each reason once.
func (c *keyCheck) err() error {
	failures, seen := c.unfit, c.opened+c.unfit.Total+c.damaged.Total
	for _, mark := range slices.Sorted(maps.Keys(c.foreign)) {
		those := c.foreign[mark]
		seen += len(those)
		// One alone may be damaged where the mark is.
		if len(those) > 1 || c.opened == 0 || c.unfit.Total > 0 {
			for _, f := range those {
				failures.add(f.UserID, f.Err)
			}
		}
	}
	if failures.Total == 0 && c.opened == 0 {
		failures = c.damaged
	}
	if failures.Total == 0 {
		return nil
	}
	err := fmt.Errorf("%w: %d of the %d that were checked can't be opened", ErrWrongKeys, failures.Total, seen)
	said := make(map[string]bool)
	for _, f := range failures.First {
		if reason := f.Err.Error(); !said[reason] && len(said) < keyReasons {
			said[reason] = true
			err = fmt.Errorf("%w; user %q: %w", err, f.UserID, f.Err)
		}
	}
	return err
}
