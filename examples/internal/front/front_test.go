package front

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Only this machine is local, by a name of its own and without a proxy.
func TestLocal(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		from, host, header string
		want               bool
	}{
		{"127.0.0.1:1234", "localhost:8080", "", true},
		{"[::1]:1234", "[::1]:8080", "", true},
		{"192.0.2.7:1234", "localhost:8080", "", false},
		{"127.0.0.1:1234", "rebound.example:8080", "", false},
		{"127.0.0.1:1234", "localhost:8080", "X-Forwarded-For", false},
		{"127.0.0.1:1234", "localhost:8080", "Forwarded", false},
	} {
		r := httptest.NewRequest("GET", "/messages", nil)
		r.RemoteAddr, r.Host = x.from, x.host
		if x.header != "" {
			r.Header.Set(x.header, "192.0.2.7")
		}
		if got := Local(r); got != x.want {
			t.Errorf("%+v is local: %t", x, got)
		}
	}
}

func TestDeviceName(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                    "Firefox (Linux)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0": "Edge (Windows)",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":     "Chrome (macOS)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1": "Safari (iPhone)",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":              "Chrome (Android)",
		"Mozilla/5.0 (Haiku) Gecko/20100101 Firefox/140.0":                                                                          "Firefox",
		"Dalvik/2.1.0 (Linux; U; Android 15)": "Android",
		"curl/8\x00<script>":                  "",
	} {
		if got := deviceName(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

// Somebody who tries a great many names locks nobody else out, and takes little memory.
func TestManyNames(t *testing.T) {
	t.Parallel()
	l := NewLimits(time.Now)
	r := httptest.NewRequest("POST", "/sign-in", nil)
	for i := range 2 * maxLimiters {
		r.RemoteAddr = fmt.Sprintf("[2001:db8::%x]:1", i)
		if !l.Allow(r, fmt.Sprint("user", i)) {
			t.Fatalf("%d names lock out the next", i)
		}
	}
	if l.each.Len() > maxLimiters {
		t.Errorf("%d names are kept", l.each.Len())
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 70)
	for in, want := range map[string]string{
		"  work\tphone ": "workphone",
		"a\xffb":         "ab",
		"a" + long:       "a" + long[:118], // no half letter
		long:             long[:120],
		"":               "",
	} {
		if got := Line(in, 120); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
