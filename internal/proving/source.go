package proving

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Source returns the path of a file or folder of this module, given its parts,
// for tests that read the documentation or the source.
func Source(t testing.TB, path ...string) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	name := filepath.Join(append([]string{filepath.Dir(here), "..", ".."}, path...)...)
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("the source is not where it was compiled: %v", err)
	}
	return name
}
