package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSessions checks when sessions end and get new tokens.
func TestSessions(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b, earlier := s.browser(), s.browser()
	b.signUp(email)
	token := b.cookie("session").Value // of the session that holds the notice
	b.signIn(email)
	if b.cookie("session").Value == token {
		t.Error("signing in keeps a token that somebody may have planted")
	}
	earlier.signIn(email)
	earlier.get("/security/")
	earlier.at("/security/")
	phone, _ := b.enable()
	earlier.get("/security/")
	earlier.signedOut() // it began without a second factor

	b.get("/")
	kept := b.cookies()
	b.signOut()
	b.setCookies(kept)
	b.get("/security/")
	b.signedOut() // the session is gone, not only its cookie

	b.signIn(email)
	halfway := b.cookie("session").Value
	b.code(phone.next())
	if b.cookie("session").Value == halfway {
		t.Error("the second step keeps the token of the first")
	}
}

// A request that runs while its session ends writes the session at its end. This must
// not restore the session.
func TestEndedSessionStaysEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	sessions := s.app.accounts.Sessions()
	ctx, expires := t.Context(), time.Now().Add(time.Hour)
	for _, step := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return sessions.CommitCtx(ctx, "token", []byte("a"), expires) }, true},
		{func() error { return sessions.CommitCtx(ctx, "token", []byte("b"), expires) }, true},
		{func() error { return sessions.DeleteCtx(ctx, "token") }, false},
		{func() error { return sessions.CommitCtx(ctx, "token", []byte("b"), expires) }, false},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if _, found, err := sessions.FindCtx(ctx, "token"); err != nil || found != step.want {
			t.Fatalf("found %t, %v, want %t", found, err, step.want)
		}
	}
}

func TestCookieAndHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	for _, secure := range []bool{false, true} {
		s.config.secure = secure
		s.restart()
		form := url.Values{"email": {"alice@example.com"}, "password": {password}}
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.PostForm(s.server.URL+"/sign-up", form)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if !secure { // the first sign-up works and leaves a notice
			cookie := response.Header.Get("Set-Cookie")
			for _, want := range []string{"session=", "HttpOnly", "SameSite=Lax", "Path=/"} {
				if !strings.Contains(cookie, want) {
					t.Errorf("cookie lacks %s: %s", want, cookie)
				}
			}
			continue
		}
		response, err = client.PostForm(s.server.URL+"/sign-in", form)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if cookie := response.Header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-session=") || !strings.Contains(cookie, "Secure") {
			t.Errorf("cookie by HTTPS: %s", cookie)
		}
	}

	for path, inCache := range map[string]bool{"/": false, "/sign-in": false, "/nowhere": false, "/static/style.css": true} {
		response, err := http.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		for name, want := range map[string]string{
			"Content-Security-Policy":   "script-src 'self'",
			"X-Content-Type-Options":    "nosniff",
			"Strict-Transport-Security": "max-age=",
			"Referrer-Policy":           "same-origin",
		} {
			if got := response.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if got := response.Header.Get("Cache-Control") == "no-store"; got == inCache {
			t.Errorf("%s: Cache-Control is %q", path, response.Header.Get("Cache-Control"))
		}
	}
	response, err := http.Get(s.server.URL + "/static/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Error("static files are listed")
	}
}
