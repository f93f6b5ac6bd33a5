package mariadb

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/need"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// TestFailOverFails gives a failover up. The next one returns an error as well.
func TestFailOverFails(t *testing.T) {
	t.Parallel()
	p, err := StartPair(t.Context(), Waiting{})
	if errors.Is(err, server.ErrMissing) {
		need.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := p.FailOver(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("FailOver = %v, want Canceled", err)
		}
	}
	if err := p.CutOff(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("CutOff = %v, want Canceled", err)
	}
	if p.Log() == "" {
		t.Error("there is no log")
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
