// Package need ends tests that need what this machine lacks. It imports no driver, so that
// a test in a browser does not build those of all databases.
package need

import (
	"os"
	"testing"
)

// Require is the environment variable that, set to 1, turns what is missing
// into failures.
const Require = "TWOFACTOR_REQUIRE"

// Missing ends the test because something on this machine is not there:
// skipped on a laptop, failed where Require is set to 1.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Require) == "1" {
		t.Fatalf("%s, and %s=1", what, Require)
	}
	t.Skip(what)
}
