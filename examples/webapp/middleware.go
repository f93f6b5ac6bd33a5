package main

import (
	"embed"
	"log/slog"
	"net/http"

	"github.com/felixge/httpsnoop"
)

//go:embed static
var static embed.FS

// maxBody is the largest form we read. Real ones are much smaller.
const maxBody = 16 << 10

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

func (a *app) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range strict {
			w.Header().Set(name, value)
		}
		if a.config.secure {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// logged logs one line for each request. It omits the query and the form.
func (a *app) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		done := httpsnoop.CaptureMetrics(next, w, r)
		a.log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method),
			slog.String("path", path), slog.Int("status", done.Code), slog.Duration("took", done.Duration))
	})
}
