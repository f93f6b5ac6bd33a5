package hosttest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A jar holds the cookies of the application by their names. A cookie ends when the
// application deletes it, and not by the time: an attacker who has copied it keeps it.
type jar map[string]*http.Cookie

// keep takes what an answer sets.
func (j jar) keep(cookies []*http.Cookie) {
	for _, c := range cookies {
		// A deletion has a time of long ago, and not only one before the present, which
		// can be the time of another clock.
		if c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(time.Unix(0, 0).AddDate(1, 0, 0)) {
			delete(j, c.Name)
			continue
		}
		j[c.Name] = c
	}
}

// forSite returns the cookies that a browser sends with a request from such a site.
// Without an attribute SameSite, several browsers send a cookie from everywhere.
func (j jar) forSite(target, site, method string) (all []*http.Cookie) {
	path, _, _ := strings.Cut(target, "?")
	for _, name := range slices.Sorted(maps.Keys(j)) {
		c := j[name]
		if !within(path, c.Path) {
			continue
		}
		if site == "cross-site" {
			switch c.SameSite {
			case http.SameSiteStrictMode:
				continue
			case http.SameSiteLaxMode:
				if method != http.MethodGet {
					continue
				}
			}
		}
		all = append(all, c)
	}
	return all
}

// within reports whether a path is in the folder of a cookie (RFC 6265, section 5.1.4).
func within(path, folder string) bool {
	if folder == "" || folder == "/" || path == folder {
		return true
	}
	return strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
