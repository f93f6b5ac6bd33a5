package login_test

import (
	"bytes"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
)

// A fault is logged and has a status of its own. Only nobody is led to the login.
func TestSignedIn(t *testing.T) { // not in parallel: it reads the log
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	for _, c := range []struct {
		user   string
		err    error
		in     bool
		status int
	}{
		{"alice", nil, true, http.StatusOK},
		{"", nil, false, http.StatusSeeOther},
		{"", errors.New("no database"), false, http.StatusInternalServerError},
		{"alice", errors.New("no database"), false, http.StatusInternalServerError},
	} {
		w := httptest.NewRecorder()
		logged.Reset()
		in := login.SignedIn(w, httptest.NewRequest(http.MethodGet, "/secret?x=1", nil), c.user, c.err)
		if in != c.in || w.Code != c.status || strings.Contains(w.Body.String(), "database") {
			t.Errorf("%q, %v: %v, %d: %s", c.user, c.err, in, w.Code, w.Body)
		}
		want := ""
		if c.err != nil {
			want = "GET /secret: no database\n"
		}
		if !strings.HasSuffix(logged.String(), want) || want == "" && logged.Len() > 0 {
			t.Errorf("%q, %v: %q is logged", c.user, c.err, &logged)
		}
	}
}

// A link from anywhere sends a GET, so that does nothing.
func TestDanger(t *testing.T) {
	t.Parallel()
	for method, done := range map[string]bool{http.MethodGet: false, http.MethodHead: false, http.MethodPost: true} {
		w := httptest.NewRecorder()
		login.Danger(w, httptest.NewRequest(method, "/danger", nil))
		if strings.Contains(w.Body.String(), "danger done") != done {
			t.Errorf("%s: %s", method, w.Body)
		}
	}
}
