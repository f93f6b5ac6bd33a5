package front

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
)

// SpeaksJSON reports whether the client speaks JSON, as package web of the library sees it:
// it has sent JSON, or wants it and no page.
func SpeaksJSON(r *http.Request) bool {
	if accept := r.Header.Get("Accept"); r.Method == http.MethodGet {
		return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// Bearer lets clients that speak JSON, such as an app on a phone, keep the token of their
// session themselves. They send it in the header Authorization. Their cookies are ignored
// and none are set, so another site can't make a browser send such a request in the name of
// its user.
func Bearer(next http.Handler, cookie string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !SpeaksJSON(r) {
			next.ServeHTTP(w, r)
			return
		}
		r = r.Clone(r.Context())
		r.Header.Del("Cookie")
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			r.AddCookie(&http.Cookie{Name: cookie, Value: token})
		}
		next.ServeHTTP(cookieless{w}, r)
	})
}

// cookieless takes the cookies out of an answer.
type cookieless struct{ http.ResponseWriter }

func (w cookieless) WriteHeader(status int) {
	w.Header().Del("Set-Cookie")
	w.ResponseWriter.WriteHeader(status)
}

func (w cookieless) Write(b []byte) (int, error) {
	w.Header().Del("Set-Cookie")
	return w.ResponseWriter.Write(b)
}

// ReadJSON reads an object of texts into the form of the request, which was parsed before. It
// does nothing if the client has sent no JSON.
func ReadJSON(r *http.Request) error {
	if r.Method != http.MethodPost || !SpeaksJSON(r) {
		return nil
	}
	var fields map[string]string
	err := json.NewDecoder(r.Body).Decode(&fields)
	for name, value := range fields {
		r.PostForm.Set(name, value)
	}
	return err
}

// WriteJSON answers with an object.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
	return nil
}
