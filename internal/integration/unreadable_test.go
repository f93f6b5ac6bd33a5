package integration_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// nobody are more ids than a page has, which no user can have. They come first of all.
func nobody() []string {
	ids := []string{""}
	for i := range 1_100 {
		ids = append(ids, fmt.Sprintf("a\n%04d", i))
	}
	return ids
}

// TestUnreadableRow has a row that its store can't read, and rows of nobody. Each operation
// on many accounts names the former, leaves out the latter, and does the others.
func TestUnreadableRow(t *testing.T) {
	t.Parallel()
	spoiled := func(d sqlstore.Dialect, open func(t *testing.T, dsn string) store.Store) func(t *testing.T) (store.Store, func()) {
		return func(t *testing.T) (store.Store, func()) {
			dsn := testenv.SQL(t, d)
			s := open(t, dsn)
			return s, func() {
				execute(t, d, dsn, "UPDATE twofactor_accounts SET state = 'spoiled' WHERE user_id = 'alice'")
				empty := "x''"
				if d == sqlstore.PostgreSQL {
					empty = "''"
				}
				var rows []string
				for _, id := range nobody() {
					rows = append(rows, "('"+id+"', 1, 'pending', 0, 0, "+empty+")")
				}
				execute(t, d, dsn, "INSERT INTO twofactor_accounts (user_id, version, state, due, updated, data) VALUES "+strings.Join(rows, ", "))
			}
		}
	}
	places := map[string]func(t *testing.T) (s store.Store, spoil func()){
		"Redis": func(t *testing.T) (store.Store, func()) {
			client, prefix := testenv.RedisClient(t, testenv.RedisSocket(t)), testenv.RedisPrefix()
			return testenv.OpenRedis(t, client, prefix), func() { // as a policy does that evicts keys
				if n, err := client.Del(t.Context(), prefix+"{39}:user:alice").Result(); n != 1 || err != nil {
					t.Fatalf("Del = %d, %v", n, err)
				}
				for _, id := range nobody() {
					if err := client.ZAdd(t.Context(), prefix+"{17}:users", goredis.Z{Member: id}).Err(); err != nil {
						t.Fatal(err)
					}
				}
			}
		},
	}
	for _, d := range dialects {
		places[d.String()] = spoiled(d, func(t *testing.T, dsn string) store.Store {
			return migrated(t, sqlstore.New(testenv.OpenSQL(t, d, dsn), d))
		})
	}
	for name, open := range recipes {
		places["the recipe for "+name] = spoiled(sqlstore.PostgreSQL, open)
	}
	for name, open := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, spoil := open(t)
			k := proving.Over(t, s)
			k.EnrollAll("alice", "bob")
			k.Begin("carol", enrollment.BeginOptions{})
			k.Pass(time.Hour)
			spoil()

			d := k.Directory()
			unreadable := func(what string, f enrollment.Failures) {
				t.Helper()
				if f.Total == 0 || slices.ContainsFunc(f.First, func(x enrollment.Failure) bool { return x.UserID != "alice" }) {
					t.Errorf("%s has failed for %+v, want alice", what, f)
				}
			}
			swept, err := d.Sweep(t.Context())
			if unreadable("Sweep", swept.Failed); err != nil || swept.Expired != 1 || swept.Walked != 3 {
				t.Errorf("Sweep = %+v, %v, want that the setup of carol has expired", swept, err)
			}
			resealed, err := d.Reseal(t.Context(), enrollment.ResealOptions{})
			if unreadable("Reseal", resealed.Failed); err != nil || resealed.Seen != 3 || !resealed.Done {
				t.Errorf("Reseal = %+v, %v, want three accounts", resealed, err)
			}
			var seen []string
			for x, err := range d.Inspect(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if seen = append(seen, x.UserID); errors.Is(x.Err, enrollment.ErrCorrupt) != (x.UserID == "alice") {
					t.Errorf("Inspect: %s: %v", x.UserID, x.Err)
				}
			}
			if !slices.Equal(seen, []string{"alice", "bob", "carol"}) {
				t.Errorf("Inspect returns %q", seen)
			}
			found, err := d.Statuses(t.Context(), []string{"alice", "bob"})
			if !errors.Is(err, enrollment.ErrCorrupt) || found["bob"].State != store.Confirmed || len(found) != 1 {
				t.Errorf("Statuses = %v, %v, want bob, and an error about alice", found, err)
			}
			if err := d.CheckKeys(t.Context()); err != nil {
				t.Errorf("CheckKeys = %v, want nil", err)
			}

			// She is not a user without a second factor, until her row is deleted.
			if d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{}); err == nil {
				t.Errorf("SignIn = %v", d.Next)
			} else if name == "Redis" && !errors.Is(err, redisstore.ErrLost) {
				t.Errorf("SignIn = %v, want ErrLost", err)
			}
			if err := s.(store.Eraser).Erase(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
			k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
		})
	}
}
