package main

import (
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// deviceCookie is the name of the cookie of a trusted device. There is one in a
// browser: who signs in there with another account trusts it anew.
func (a *app) deviceCookie() string {
	if a.config.secure {
		return "__Host-device"
	}
	return "device"
}

// deviceToken returns what this browser has for SignInOptions.Device, or "".
func (a *app) deviceToken(r *http.Request) string {
	c, err := r.Cookie(a.deviceCookie())
	if err != nil {
		return ""
	}
	return c.Value
}

// trust lets this browser sign in without a code from now on. What goes wrong
// with it does not keep the user from being signed in.
func (a *app) trust(w http.ResponseWriter, r *http.Request, ok enrollment.Success) {
	ctx := r.Context()
	trusted, err := a.guard.Devices().Trust(ctx, ok.UserID, ok.Receipt, deviceName(r.UserAgent()))
	if err != nil {
		a.log.ErrorContext(ctx, "trusting a device", "user", ok.UserID, "error", err)
		a.sessions.Put(ctx, keyBad, "You are signed in, but this device could not be remembered.")
		return
	}
	a.setDeviceCookie(w, trusted.Token, int(trusted.Device.Expires.Sub(a.now()).Seconds()))
}

// setDeviceCookie keeps the token out of reach of scripts and of other sites.
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
	a.say(w, r, keyNotice, "That device asks for a code again.", "/security")
}

func (a *app) revokeDevices(w http.ResponseWriter, r *http.Request, u user) {
	if err := a.guard.Devices().RevokeAll(r.Context(), u.ID); err != nil {
		a.fail(w, r, err)
		return
	}
	a.setDeviceCookie(w, "", -1)
	a.say(w, r, keyNotice, "Every device asks for a code again.", "/security")
}

// deviceName returns a few words by which people tell their devices apart. What
// the browser says of itself is not to be relied on for more.
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
