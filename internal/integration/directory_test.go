package integration_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestDirectory lists, sweeps and re-seals accounts on every database, beside
// people who sign in.
func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			directory(t, b.Open(t))
		})
	}
}

func directory(t *testing.T, s store.Store) {
	ctx := t.Context()
	clock := enrollmenttest.NewClock(time.Date(2026, 3, 1, 12, 0, 15, 0, time.UTC))
	old, err := keyring.Generate("old")
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := old.Rotate("fresh")
	if err != nil {
		t.Fatal(err)
	}
	open := func(keys *keyring.Ring) (*enrollment.Guard, *enrollment.Directory) {
		g, err := enrollment.New(s, keys, enrollment.Config{Issuer: "Acme", RecoveryScheme: recovery.Fast, Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		d, err := enrollment.NewDirectory(g, s.(store.Lister))
		if err != nil {
			t.Fatal(err)
		}
		return g, d
	}
	guard, _ := open(old)
	begin := func(id string) (enrollment.SetupToken, *enrollmenttest.App) {
		setup, err := guard.Begin(ctx, id, enrollment.BeginOptions{Account: "account", Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Fatal(err)
		}
		app, err := enrollmenttest.Scan(setup.URI())
		if err != nil {
			t.Fatal(err)
		}
		return setup.Token, app
	}

	// More than a page, ids that collations sort otherwise, some who gave up.
	var on, off []string
	codes := make(map[string][]string)
	for i := range 130 {
		id := fmt.Sprintf("%c-%03d", "aBcD"[i%4], i)
		token, app := begin(id)
		if i%10 == 0 {
			off = append(off, id)
			continue
		}
		done, err := guard.Confirm(ctx, id, token, app.Code(clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		on, codes[id] = append(on, id), done.Codes.Reveal()
	}
	everyone := slices.Sorted(slices.Values(slices.Concat(on, off)))
	clock.Advance(15 * time.Minute)
	guard, dir := open(fresh)

	for name, tt := range map[string]struct {
		states []store.State
		want   []string
	}{
		"all":     {nil, everyone},
		"on":      {[]store.State{store.Confirmed}, slices.Sorted(slices.Values(on))},
		"off":     {[]store.State{store.None}, slices.Sorted(slices.Values(off))},
		"pending": {[]store.State{store.Pending}, nil},
	} {
		var got []string
		for m, err := range dir.All(ctx, enrollment.Filter{States: tt.states}) {
			if err != nil {
				t.Fatal(name, err)
			}
			got = append(got, m.UserID)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %d were listed, want %d", name, len(got), len(tt.want))
		}
	}
	if got, err := dir.Statuses(ctx, append([]string{"nobody"}, everyone...)); err != nil || len(got) != 131 || got["nobody"].State != store.None || !got[on[0]].Enabled() {
		t.Errorf("%d statuses, %v", len(got), err)
	}

	if swept, err := dir.Sweep(ctx); err != nil || swept.Seen != len(off) || swept.Expired != len(off) || swept.Failed.Total != 0 {
		t.Errorf("swept %+v, %v", swept, err)
	}
	if swept, err := dir.Sweep(ctx); err != nil || swept.Seen != 0 {
		t.Errorf("swept again %+v, %v", swept, err)
	}

	// Two processes re-seal while everybody signs in.
	var wg sync.WaitGroup
	for part := range slices.Chunk(on, 20) {
		wg.Go(func() {
			for _, id := range part {
				if _, err := guard.Verify(ctx, id, "x", codes[id][0]); err != nil {
					t.Error(id, err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			if done, err := dir.Reseal(ctx, enrollment.ResealOptions{}); err != nil || done.Seen != 130 || done.Failed.Total != 0 {
				t.Errorf("resealed %+v, %v", done, err)
			}
		})
	}
	wg.Wait()
	if done, err := dir.Reseal(ctx, enrollment.ResealOptions{}); err != nil || !done.Done || done.Moved != 0 || !maps.Equal(done.Keys, map[string]int{"fresh": 130}) {
		t.Errorf("in the end %+v, %v", done, err)
	}
	for _, id := range on {
		if _, err := guard.Verify(ctx, id, "x", codes[id][0]); !errors.Is(err, enrollment.ReasonReplayed) {
			t.Errorf("%s: a code that was used: %v", id, err)
		}
	}
}
