package chromium

import (
	"os"
	"testing"
)

// TestNothingIsLeft sees that a browser leaves nothing in the folder for temporary files.
func TestNothingIsLeft(t *testing.T) {
	temporary, err := os.MkdirTemp("", "") // short, as the folders of t.TempDir are not
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temporary)
	t.Setenv("TMPDIR", temporary)
	t.Run("browser", func(t *testing.T) { Open(t, "") })
	left, err := os.ReadDir(temporary)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("the browser has left %s", entry.Name())
	}
}
