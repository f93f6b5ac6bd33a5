package main

import (
	"net"
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// deviceCookie is the name of the cookie of a trusted device. A browser keeps
// one: a second account that trusts the same browser replaces it.
func (a *app) deviceCookie() string {
	if a.config.secure {
		return "__Host-device"
	}
	return "device"
}

// deviceToken returns the device token of this browser, or "".
func (a *app) deviceToken(r *http.Request) string {
	c, err := r.Cookie(a.deviceCookie())
	if err != nil {
		return ""
	}
	return c.Value
}

// trust lets this browser sign in without a code from now on. An error here does
// not stop the sign-in.
func (a *app) trust(w http.ResponseWriter, r *http.Request, ok enrollment.Success) {
	ctx := r.Context()
	trusted, err := a.guard.Devices().Trust(ctx, ok.UserID, ok.Receipt, deviceName(r.UserAgent()))
	if err != nil {
		a.log.ErrorContext(ctx, "trusting a device", "user", ok.UserID, "error", err)
		a.sessions.Put(ctx, keyBad, "You are signed in, but we could not remember this device.")
		return
	}
	a.setDeviceCookie(w, trusted.Token.Reveal(), int(trusted.Device.Expires.Sub(a.now()).Seconds()))
}

// setDeviceCookie stores the token where scripts and other sites can't get it.
func (a *app) setDeviceCookie(w http.ResponseWriter, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     a.deviceCookie(),
		Value:    token,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   a.config.secure,
		SameSite: http.SameSiteStrictMode,
	})
}

func (a *app) revokeDevice(w http.ResponseWriter, r *http.Request, u user) {
	if err := a.guard.Devices().Revoke(r.Context(), u.ID, r.PostFormValue("id")); err != nil {
		a.fail(w, r, err)
		return
	}
	a.say(w, r, keyNotice, "That device is no longer trusted.", "/security")
}

func (a *app) revokeDevices(w http.ResponseWriter, r *http.Request, u user) {
	if err := a.guard.Devices().RevokeAll(r.Context(), u.ID); err != nil {
		a.fail(w, r, err)
		return
	}
	a.setDeviceCookie(w, "", -1)
	a.say(w, r, keyNotice, "No device is trusted any more.", "/security")
}

// withOrigin tells the guard where a request comes from, for mails and for the list
// of recent activity. Behind a proxy, the address is the proxy's: take the client's
// from where your own proxy puts it.
func withOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := deviceName(r.UserAgent())
		if address, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			origin += ", " + address
		}
		next.ServeHTTP(w, r.WithContext(enrollment.WithOrigin(r.Context(), origin)))
	})
}

// deviceName returns a short name by which users tell their devices apart. A
// browser can claim anything in its User-Agent, so use the name for nothing else.
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
