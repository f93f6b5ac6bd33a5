package formats

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A Golden is a stored account with what its owner and its host hold.
type Golden struct {
	Keys      string               // of the host
	Namespace string               // of the host
	Record    store.Record         // as it was stored
	URI       string               // in the owner's app
	Recovery  []string             // on the owner's paper
	Challenge enrollment.Challenge // handed out at Now
	Now       time.Time
}

// OpenGolden returns the golden file of a usual account, a store with its record,
// and its keys.
func OpenGolden(t *testing.T) (Golden, *memory.Store, *keyring.Ring) {
	t.Helper()
	g := Read[Golden](t, "v1-record.json")
	return g, Holding(t, g.Record), proving.Value[*keyring.Ring](t)(keyring.Parse(g.Keys))
}

// Path returns where a file is, or is to be, in the testdata of package enrollment.
func Path(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(proving.Source(t, "enrollment", "testdata"), name)
}

// Read returns what a golden file holds.
func Read[T any](t *testing.T, name string) (golden T) {
	t.Helper()
	if err := json.Unmarshal(proving.Value[[]byte](t)(os.ReadFile(Path(t, name))), &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

// Holding returns a store that has these records.
func Holding(t *testing.T, records ...store.Record) *memory.Store {
	t.Helper()
	s := memory.New()
	for _, r := range records {
		if err := s.Save(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
