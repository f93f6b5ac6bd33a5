package redisstore

import "testing"

// TestAddress has addresses as redirections name them.
func TestAddress(t *testing.T) {
	t.Parallel()
	for named, want := range map[string]string{
		"127.0.0.1:6381": "127.0.0.1:6381", "redis-2:6381": "redis-2:6381",
		"::1:6381": "[::1]:6381", "[::1]:6381": "[::1]:6381", "": "",
	} {
		if got := address(named); got != want {
			t.Errorf("%q is %q, want %q", named, got, want)
		}
	}
}
