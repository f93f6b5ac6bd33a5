package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// epoch is the time of the records that the cases save.
var epoch = time.Date(2026, 5, 17, 11, 42, 3, 123456000, time.UTC)

// sample returns a valid record in which every field depends on the version, so
// that a mix of two records is noticed.
func sample(userID string, version int64) store.Record {
	r := store.Record{
		UserID:  userID,
		Version: version,
		State:   store.State(version%4) + store.None,
		Updated: epoch.Add(time.Duration(version%1_000_003) * time.Microsecond),
		Data:    bytes.Repeat(fmt.Appendf(nil, "%s/%d;", userID, version), 7),
	}
	if version%2 == 0 {
		r.Due = r.Updated.Add(time.Hour)
	}
	return r
}

// clone returns a copy that shares nothing with r.
func clone(r store.Record) store.Record {
	r.Data = bytes.Clone(r.Data)
	return r
}

// diff returns an error that says how got differs from want, without quoting
// Data.
func diff(got, want store.Record) error {
	switch {
	case got.UserID != want.UserID:
		return fmt.Errorf("UserID is %q, want %q", got.UserID, want.UserID)
	case got.Version != want.Version:
		return fmt.Errorf("Version is %d, want %d", got.Version, want.Version)
	case got.State != want.State:
		return fmt.Errorf("State is %v, want %v", got.State, want.State)
	case !bytes.Equal(got.Data, want.Data):
		at := 0
		for at < len(got.Data) && at < len(want.Data) && got.Data[at] == want.Data[at] {
			at++
		}
		return fmt.Errorf("Data has %d bytes, want %d, and differs from byte %d on", len(got.Data), len(want.Data), at)
	}
	if err := diffTime(got.Due, want.Due); err != nil {
		return fmt.Errorf("Due %w", err)
	}
	if err := diffTime(got.Updated, want.Updated); err != nil {
		return fmt.Errorf("Updated %w", err)
	}
	return nil
}

func diffTime(got, want time.Time) error {
	if !got.Equal(want) {
		return fmt.Errorf("is %v, want %v", got.Format(time.RFC3339Nano), want.Format(time.RFC3339Nano))
	}
	if got.Location() != time.UTC {
		return fmt.Errorf("is right, but in location %q, want UTC", got.Location())
	}
	return nil
}

// save saves the record and returns an error if that fails.
func save(ctx context.Context, s store.Store, r store.Record, prev int64) error {
	if err := s.Save(ctx, clone(r), prev); err != nil {
		return fmt.Errorf("Save(user %q, version %d, prev %d) = %w, want nil", r.UserID, r.Version, prev, err)
	}
	return nil
}

// refuses returns an error unless the store refuses to save, with an error that
// matches want and no other error of the contract.
func refuses(ctx context.Context, s store.Store, r store.Record, prev int64, want error) error {
	err := s.Save(ctx, clone(r), prev)
	if bad := only(err, want); bad != nil {
		return fmt.Errorf("Save(user %q, version %d, prev %d) = %w", r.UserID, r.Version, prev, bad)
	}
	return nil
}

// only returns an error unless err matches want and no other error of the
// contract.
func only(err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%v, want an error that matches %q", err, want)
	}
	for _, other := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid} {
		if other != want && errors.Is(err, other) {
			return fmt.Errorf("%v, which must match %q but not %q", err, want, other)
		}
	}
	return nil
}

// holds returns an error unless the store holds exactly this record.
func holds(ctx context.Context, s store.Store, want store.Record) error {
	got, err := s.Load(ctx, want.UserID)
	if err != nil {
		return fmt.Errorf("Load(%q) = %w, want version %d", want.UserID, err, want.Version)
	}
	if err := diff(got, want); err != nil {
		return fmt.Errorf("Load(%q): %w", want.UserID, err)
	}
	return nil
}

// absent returns an error unless the store says that the user has no record.
func absent(ctx context.Context, s store.Store, userID string) error {
	r, err := s.Load(ctx, userID)
	if bad := only(err, store.ErrNotFound); bad != nil {
		return fmt.Errorf("Load(%q) = %w (version %d)", userID, bad, r.Version)
	}
	return nil
}

// first returns the first of errs that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
