package enrollment_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

var update = flag.Bool("update", false, "write the golden file of a NEW format; those of earlier ones must never change")

// readGolden returns what a golden file holds.
func readGolden[T any](t *testing.T, path string) (golden T) {
	t.Helper()
	if err := json.Unmarshal(value[[]byte](t)(os.ReadFile(path)), &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

// writeGolden writes a golden file.
func writeGolden(t *testing.T, path string, golden any) {
	t.Helper()
	text := value[[]byte](t)(json.MarshalIndent(golden, "", "  "))
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// holding returns a store that has these records.
func holding(t *testing.T, records ...store.Record) *memory.Store {
	t.Helper()
	s := memory.New()
	for _, r := range records {
		if err := s.Save(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
