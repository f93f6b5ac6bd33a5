package proving

import (
	"context"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Emptied returns an Open whose stores are those of open, emptied when a test is over and
// another one needs a store. It is for tests that are many: a database has to be made for
// each fresh store. What a test does with its store has to be over when the test is. The
// first store is opened at once, so that a test without its server ends here.
func Emptied(t *testing.T, open Open) Open {
	t.Helper()
	var mu sync.Mutex
	idle := []Full{full(t, open(t))}
	take := func() Full {
		mu.Lock()
		defer mu.Unlock()
		if len(idle) == 0 {
			return nil
		}
		s := idle[len(idle)-1]
		idle = idle[:len(idle)-1]
		return s
	}
	return func(user *testing.T) store.Store {
		user.Helper()
		s := take()
		if s == nil {
			s = full(t, open(t))
		}
		empty(user, s)
		user.Cleanup(func() {
			mu.Lock()
			defer mu.Unlock()
			idle = append(idle, s)
		})
		return s
	}
}

// OneAfterAnother returns an Open that empties one store from open each time, and returns it.
// Who had it before must not use it any more.
func OneAfterAnother(t *testing.T, open Open) Open {
	t.Helper()
	return emptied(full(t, open(t)))
}

func emptied(s Full) Open {
	return func(t *testing.T) store.Store {
		t.Helper()
		empty(t, s)
		return s
	}
}

// full returns the store as one that can do everything.
func full(t testing.TB, s store.Store) Full {
	t.Helper()
	f, ok := s.(Full)
	if !ok {
		t.Fatalf("a %T can't list and erase", s)
	}
	return f
}

// empty erases everything.
func empty(t testing.TB, s Full) {
	t.Helper()
	for q := (store.Query{}); ; {
		page, err := s.List(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			if err := s.Erase(context.Background(), r.UserID); err != nil {
				t.Fatal(err)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return
		}
	}
}
