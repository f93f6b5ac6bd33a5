//go:build !cgo

package mattn_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/need"
)

func TestStore(t *testing.T) { need.Missing(t, "the driver needs cgo") }
