package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed static
var static embed.FS

// serveFile serves the style and the script, and reports whether the path is one of
// them. They are public and change only with the version of this package.
func (p *Pages) serveFile(w http.ResponseWriter, r *http.Request, path string) bool {
	kind, found := map[string]string{"/style.css": "text/css; charset=utf-8", "/script.js": "text/javascript; charset=utf-8"}[path]
	if !found {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	content, err := static.ReadFile("static" + path)
	if err != nil {
		p.config.Fail(w, r, err)
		return true
	}
	sum := sha256.Sum256(content)
	h := w.Header()
	h.Set("Content-Type", kind) // some systems know another one, and the browser would refuse that
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, path, time.Time{}, bytes.NewReader(content))
	return true
}
