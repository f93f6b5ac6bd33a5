package added_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/added"
)

// A changed line, a moved one and a new file are counted, without any mark. A test, an
// empty line, a comment and a deleted line are not.
func TestLines(t *testing.T) {
	t.Parallel()
	before, after := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		filepath.Join(before, "main.go"):     "one\ntwo\nthree\nfour\ngone\n",
		filepath.Join(after, "main.go"):      "two\n\n// a comment\none\nthree\nfour, changed\nnew\n",
		filepath.Join(after, "new.go"):       "package x\n\n\tfunc\n",
		filepath.Join(after, "main_test.go"): "not counted\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := added.Lines(before, after); n != 5 || err != nil {
		t.Errorf("%d, %v, want 5", n, err)
	}
	if n, err := added.Lines(before, after, "new.go"); n != 2 || err != nil {
		t.Errorf("of one file: %d, %v, want 2", n, err)
	}
	if n, err := added.Lines(after, after); n != 0 || err != nil {
		t.Errorf("nothing was added: %d, %v", n, err)
	}
}
