package redact_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

func TestFmtFindsNothing(t *testing.T) {
	type secret struct {
		text  string
		bytes []byte
	}
	type host struct {
		name string
		h    redact.Value[secret]
		p    *redact.Value[secret]
	}
	h := redact.Of(secret{"CANARY", []byte("CANARY")})
	v := host{"alice", h, &h}
	for _, verb := range "vsqxXdobtUceEfFgGpTw" {
		for _, flag := range []string{"", "+", "#", " ", "0"} {
			for _, x := range []any{v, &v, v.h, []host{v}, map[string]host{"k": v}} {
				got := fmt.Sprintf("%"+flag+string(verb), x)
				for _, canary := range []string{"CANARY", "67 65 78 65 82 89", "43414e415259", "43414E415259", "0x43, 0x41"} {
					if strings.Contains(got, canary) {
						t.Fatalf("%%%s%c of %T shows %q: %s", flag, verb, x, canary, got)
					}
				}
			}
		}
	}
}

func TestValue(t *testing.T) {
	var zero redact.Value[string]
	if !zero.IsZero() || zero.Get() != nil {
		t.Error("the zero Value holds something")
	}
	v := redact.Of("x")
	w := v
	*w.Get() = "y"
	if v.IsZero() || *v.Get() != "y" {
		t.Error("a copy does not share what it holds")
	}
}
