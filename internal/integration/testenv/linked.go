//go:build linux

package testenv

import (
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/link"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Linked is Proxied with a link.
func (r Remote) Linked(t testing.TB) (*link.Link, func() proving.Full) {
	t.Helper()
	l, err := link.Start("unix", r.socket(t))
	switch {
	case errors.Is(err, link.ErrMissing), errors.Is(err, link.ErrRefused):
		Missing(t, err.Error())
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, r.open(t, l.Addr())
}
