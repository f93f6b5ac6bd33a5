package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
)

// A method that a page does not take is answered with those that it takes.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	for path, allow := range map[string]string{
		"/sign-in": "GET, HEAD, POST", "/data": "GET, HEAD", "/sign-out": "POST", "/security/rename": "POST", "/admin/members": "GET, HEAD",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Allow"); response.StatusCode != http.StatusMethodNotAllowed || got != allow {
			t.Errorf("%s: %s, Allow: %q, want %q", path, response.Status, got, allow)
		}
	}
	b := s.browser()
	b.get("/nowhere")
	if b.page.status != http.StatusNotFound {
		t.Errorf("status %d", b.page.status)
	}
	b.get("/health")
	b.sees("ok")
	b.get("/.well-known/change-password")
	b.signedOut()
}

// Passwords can't be guessed quickly, from one address or for one account.
func TestGuessesAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	b := s.browser()
	b.signUp("alice@example.com")
	try := func(email string) bool {
		b.get("/sign-in")
		b.submit("/sign-in", "email", email, "password", "wrong horse battery")
		return b.page.status != http.StatusTooManyRequests
	}
	for range front.AccountBurst {
		if !try("alice@example.com") {
			t.Fatal("refused too early")
		}
	}
	if try(" Alice@example.com") {
		t.Error("another guess for the account")
	}
	if b.page.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if !try("bob@example.com") {
		t.Error("one account's guesses lock out another")
	}
	s.clock.advance(front.AccountPause)
	b.signIn("alice@example.com")
	b.at("/")
	for i := 0; try(fmt.Sprintf("user%d@example.com", i)); i++ {
		if i > front.AddressBurst {
			t.Fatal("one address guesses for as many accounts as it likes")
		}
	}
}
