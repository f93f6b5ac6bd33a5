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
// opens them all. CheckKeys writes nothing.
//
// CheckKeys ignores damaged accounts if others open, because the keys are then right. Some
// damage looks like something else. If the last bytes are damaged, the account looks like
// one of another Config.Namespace. If the bytes are damaged that tell keys of one id apart,
// it looks like one of another key. With a Sealer that returns a bare [keyring.ErrOpen], all
// damage looks like that. So CheckKeys ignores such an account too, if it is the only one and
// nothing else is wrong. If the id has become another one, that key is missing.
func (d *Directory) CheckKeys(ctx context.Context) error {
	c := newKeyCheck()
	for state := store.None; state <= store.Disabled; state++ {
		left, pages := keySample, 0
		for page, err := range d.pages(ctx, store.Query{States: []store.State{state}, Limit: keySample}) {
			if err != nil {
				return err
			}
			for _, rec := range page.Records[:min(left, len(page.Records))] {
				if err := d.checkKey(ctx, rec, c); err != nil {
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
	opened  map[string]int       // by the id of the key
	unfit   Failures             // there is no key of that id
	another map[string][]Failure // another key may have sealed it, by the id that both have
	foreign map[string][]Failure // the namespace does not fit, by the mark that is there instead
	damaged Failures             // anything else
}

func newKeyCheck() *keyCheck {
	return &keyCheck{opened: make(map[string]int), another: make(map[string][]Failure), foreign: make(map[string][]Failure)}
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
		c.opened[key]++
		return nil
	case !errors.Is(err, ErrCorrupt):
		return err
	}
	if key != "" {
		err = fmt.Errorf("%w (the record names the key %q)", err, key)
	}
	switch {
	case errors.Is(err, errNamespace):
		mark := string(rec.Data[len(rec.Data)-len(d.guard.mark):])
		c.foreign[mark] = append(c.foreign[mark], Failure{rec.UserID, err})
	case errors.Is(err, keyring.ErrUnknownKey):
		c.unfit.add(rec.UserID, err)
	case errors.Is(err, keyring.ErrOpen) && !errors.Is(err, keyring.ErrDamaged):
		c.another[key] = append(c.another[key], Failure{rec.UserID, err})
	default:
		c.damaged.add(rec.UserID, err)
	}
	return nil
}

// err returns the result of CheckKeys, with each reason once.
func (c *keyCheck) err() error {
	opened := 0
	for _, n := range c.opened {
		opened += n
	}
	failures, seen := c.unfit, opened+c.unfit.Total+c.damaged.Total
	add := func(those []Failure) {
		for _, f := range those {
			failures.add(f.UserID, f.Err)
		}
	}
	// One that is alone may be damaged.
	for _, key := range slices.Sorted(maps.Keys(c.another)) {
		seen += len(c.another[key])
		if len(c.another[key]) > 1 || c.opened[key] == 0 || c.unfit.Total > 0 {
			add(c.another[key])
		}
	}
	sound := opened > 0 && failures.Total == 0
	for _, mark := range slices.Sorted(maps.Keys(c.foreign)) {
		seen += len(c.foreign[mark])
		if len(c.foreign[mark]) > 1 || !sound {
			add(c.foreign[mark])
		}
	}
	if failures.Total == 0 && opened == 0 {
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
