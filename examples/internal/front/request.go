package front

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Origin returns the browser and the address of a request. Behind a proxy, the address
// is the proxy's: take the client's from where your own proxy puts it. Origins are stored,
// and read in any language, so there are only names in them.
func Origin(r *http.Request) string {
	device := deviceName(r.UserAgent())
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || device == "" {
		return device + address
	}
	return device + ", " + address
}

// deviceName returns a short name by which users tell their devices apart, or "". A browser
// can claim anything in its User-Agent, so use the name for nothing else.
func deviceName(userAgent string) string {
	find := func(names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if strings.Contains(userAgent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	browser := find("Firefox/", "Firefox", "FxiOS/", "Firefox", "Edg", "Edge", "OPR/", "Opera", "Chrome/", "Chrome", "CriOS/", "Chrome", "Safari/", "Safari")
	system := find("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS", "macOS", "Linux", "Linux")
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + " (" + system + ")"
}

// Local reports whether the request comes from this machine and names it. The
// name matters because of DNS rebinding: a foreign web site can point its own
// name at this address and read the page through the user's browser. The headers
// reveal a proxy, but not every proxy sets one.
func Local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	host := Host(r)
	return err == nil && net.ParseIP(from).IsLoopback() && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// Host returns the host name in the request, without the port.
func Host(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// LocalPath returns the path if it leads to this site, and otherwise the home page.
func LocalPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// Line returns what was typed as one line of valid text, of at most that many bytes.
func Line(typed string, bytes int) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(typed, ""))
	text = strings.TrimSpace(text)
	return strings.ToValidUTF8(text[:min(len(text), bytes)], "")
}
