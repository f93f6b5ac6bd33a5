package features

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// A mapStore is what a host writes: two methods over what it has, here a map.
type mapStore struct {
	mu      sync.Mutex
	records map[string]store.Record
}

func newMapStore() *mapStore { return &mapStore{records: map[string]store.Record{}} }

func (m *mapStore) Load(ctx context.Context, userID string) (store.Record, error) {
	if err := ctx.Err(); err != nil {
		return store.Record{}, err
	}
	if err := store.ValidateUserID(userID); err != nil {
		return store.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[userID]
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	r.Data = slices.Clone(r.Data)
	return r, nil
}

func (m *mapStore) Save(ctx context.Context, r store.Record, prev int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := store.ValidateSave(r, prev); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records[r.UserID].Version != prev { // 0 where there is none
		return store.ErrConflict
	}
	r.Data = slices.Clone(r.Data)
	r.Due, r.Updated = toMicroseconds(r.Due), toMicroseconds(r.Updated)
	m.records[r.UserID] = r
	return nil
}

func toMicroseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// X11: a shared test suite for integrators. A host's own store of two methods
// passes it.
func TestFeatureX11_SuiteForIntegrators(t *testing.T, open proving.Open) {
	storetest.Run(t, func(*testing.T) store.Store { return newMapStore() })
}

// X12: typed events, stable error codes, retry-after.
func TestFeatureX12_EventsCodesRetryAfter(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	challenge := k.Challenge("alice")
	for range 4 {
		k.Out(challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	}
	fifth := k.Out(challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	locked := k.Out(challenge, alice.Code(), enrollment.ReasonLocked)
	if want := k.Now().Add(time.Minute); !fifth.RetryAt.Equal(want) || !locked.RetryAt.Equal(want) {
		t.Errorf("retry after %v and %v, want %v", fifth.RetryAt, locked.RetryAt, want)
	}
	if fifth.Wait != time.Minute || locked.Wait != time.Minute {
		t.Errorf("wait for %v and %v", fifth.Wait, locked.Wait)
	}
	if !errors.Is(locked, enrollment.ErrLocked) || errors.Is(locked, enrollment.ErrWrongCode) {
		t.Error("what is locked is not a wrong code")
	}
	if locked.Reason != "locked" || fifth.Reason != "wrong_code" || locked.Factor != enrollment.FactorTOTP {
		t.Errorf("%q, %q of %q", locked.Reason, fifth.Reason, locked.Factor)
	}
	if !slices.Contains(enrollment.Reasons(), locked.Reason) || !slices.Contains(enrollment.EventKinds(), enrollment.EventLocked) {
		t.Error("the lists for tables of messages are not complete")
	}
	if told := k.EventsOf("alice", enrollment.EventLocked); len(told) != 1 || told[0].Kind != "locked" || told[0].Factor != enrollment.FactorTOTP {
		t.Errorf("alice was told %+v", told)
	}
	k.Pass(locked.RetryAt.Sub(k.Now())) // that long, and no longer
	k.In(challenge, alice.Code())
}

// X18: the database that the application has, of one of many kinds.
func TestFeatureX18_DatabaseOfTheApplication(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	people := k.EnrollAll("alice", "bob")
	alice := people[0]
	k.In(k.Challenge("alice"), alice.Code())
	k.Out(k.Challenge("alice"), alice.Code(), enrollment.ReasonReplayed)
	k.In(k.Challenge("alice"), alice.Codes[0])
	k.Out(k.Challenge("alice"), alice.Codes[0], enrollment.ReasonReplayed)

	listed := func() (users []string) {
		for m, err := range k.Directory().All(t.Context(), enrollment.Filter{}) {
			k.Must(err)
			users = append(users, m.UserID)
		}
		return users
	}
	if got := listed(); !slices.Equal(got, []string{"alice", "bob"}) {
		t.Errorf("%q are listed", got)
	}
	k.Must(k.Guard.Admin("root", "left").Erase(t.Context(), "alice"))
	if got := listed(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("%q are listed after alice is erased", got)
	}
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	k.Enroll("alice")
}
