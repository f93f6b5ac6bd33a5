package main

import (
	"net"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// withOrigin tells the guard where a request comes from, for mails and for the list of
// recent activity.
func withOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(enrollment.WithOrigin(r.Context(), originOf(r))))
	})
}

// originOf returns the browser and the address of a request. Behind a proxy, the address
// is the proxy's: take the client's from where your own proxy puts it.
func originOf(r *http.Request) string {
	origin := deviceName(r.UserAgent())
	if address, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		origin += ", " + address
	}
	return origin
}

// deviceName returns a short name by which users tell their devices apart. A browser can
// claim anything in its User-Agent, so use the name for nothing else.
func deviceName(userAgent string) string {
	find := func(other string, names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if strings.Contains(userAgent, names[i]) {
				return names[i+1]
			}
		}
		return other
	}
	browser := find("Browser", "Firefox/", "Firefox", "FxiOS/", "Firefox", "Edg", "Edge", "OPR/", "Opera", "Chrome/", "Chrome", "CriOS/", "Chrome", "Safari/", "Safari")
	system := find("another system", "iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS", "macOS", "Linux", "Linux")
	return browser + " on " + system
}

var languages = language.NewMatcher([]language.Tag{language.English, language.German})

// languageOf returns the language for messages to the user, "en" or "de".
func languageOf(r *http.Request) string {
	tag, _ := language.MatchStrings(languages, r.Header.Get("Accept-Language"))
	base, _ := tag.Base()
	return base.String()
}
