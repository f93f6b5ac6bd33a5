// Package front is what stands in front of the pages of an example: headers that make
// browsers strict, a line of log for each request, limits of guesses, and what a request
// says of itself.
package front

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/felixge/httpsnoop"
)

// strict are the headers that make browsers strict.
var strict = map[string]string{
	// Only our own files, no inline scripts, no frames. The QR code is a data URL in the
	// page, so that no second response contains it.
	"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	// "no-referrer" would make browsers send forms with "Origin: null", which
	// CrossOriginProtection refuses.
	"Referrer-Policy": "same-origin",
}

// Strict sets them. Over HTTPS, browsers are told to use nothing else.
func Strict(next http.Handler, https bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range strict {
			w.Header().Set(name, value)
		}
		if https {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// Routed serves the routes. What none of them takes goes to missing, with the methods that
// they take for its address, which the answer says as well.
func Routed(routes *http.ServeMux, missing func(w http.ResponseWriter, r *http.Request, taken []string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := routes.Handler(r); pattern != "" {
			routes.ServeHTTP(w, r)
			return
		}
		var taken []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			other := r.WithContext(r.Context())
			other.Method = method
			if _, pattern := routes.Handler(other); pattern != "" {
				taken = append(taken, method)
			}
		}
		if taken != nil {
			w.Header().Set("Allow", strings.Join(taken, ", "))
		}
		missing(w, r, taken)
	})
}

// Logged logs one line for each request. It omits the query and the form.
func Logged(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		done := httpsnoop.CaptureMetrics(next, w, r)
		log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method),
			slog.String("path", path), slog.Int("status", done.Code), slog.Duration("took", done.Duration))
	})
}
