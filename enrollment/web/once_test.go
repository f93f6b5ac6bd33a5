package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// answeredOnce reports each request that is answered twice or not at all. A page behind
// a redirect would show what the redirect keeps from somebody, to all who read the whole
// answer.
func answeredOnce(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		next.ServeHTTP(a, r)
		redirect := a.status >= 300 && a.status < 400
		if a.headers != 1 || redirect && a.body.Len() > 0 && (a.writes > 1 || !strings.HasPrefix(a.body.String(), "<a href=")) {
			t.Errorf("%s %s is answered %d times, with status %d and\n%s", r.Method, r.URL, a.headers, a.status, a.body.String())
		}
	})
}

type answer struct {
	http.ResponseWriter
	status, headers, writes int
	body                    strings.Builder
}

func (a *answer) WriteHeader(status int) {
	if a.headers++; a.headers == 1 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status, a.headers = http.StatusOK, 1
	}
	a.writes++
	a.body.Write(b)
	return a.ResponseWriter.Write(b)
}
