package server_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// TestFreePorts takes ports, all of one range, which no other process can take.
func TestFreePorts(t *testing.T) {
	t.Parallel()
	seen := make(map[int]bool)
	first := 0
	for range 2 {
		ports, err := server.FreePorts(50)
		if err != nil {
			t.Fatal(err)
		}
		first = ports[0] / 1_000 * 1_000
		for _, port := range ports {
			if seen[port] || port <= first || port >= first+1_000 {
				t.Errorf("the port %d is of another range, or comes again", port)
			}
			seen[port] = true
		}
	}
	if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first)); err == nil {
		l.Close()
		t.Error("another process can have the same range")
	}
}
