package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/wording"
)

// at runs the client against a host that a test makes, with what the user types.
func at(t *testing.T, host http.HandlerFunc, folder, typed string, args ...string) (said string, err error) {
	t.Helper()
	server := httptest.NewServer(host)
	defer server.Close()
	var out bytes.Buffer
	err = run(t.Context(), append([]string{"-at", server.URL}, args...), folder, strings.NewReader(typed), &out)
	return out.String(), err
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// The user is told each denial in the words of package wording.
func TestDenials(t *testing.T) {
	t.Parallel()
	for _, reason := range enrollment.Reasons() {
		d := &enrollment.Denied{Reason: reason, Factor: enrollment.FactorTOTP, Wait: 90 * time.Second}
		want := wording.English().Describe(d, time.Time{})
		if want.Text == "" {
			t.Errorf("%s has no words", reason)
		}
		said, err := at(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				answer(w, http.StatusOK, object{"next": "ask_code", "challenge": "x"})
				return
			}
			answer(w, want.Status, object{"reason": reason, "text": want.Text})
		}, t.TempDir(), "password\n123456\n", "sign-in", "carol")
		if err == nil || !strings.Contains(said+err.Error(), want.Text) {
			t.Errorf("%s: %v:\n%s", reason, err, said)
		}
	}
}

// What a host says can't command the terminal, and what is no answer is told as that.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		body, says string
	}{
		{http.StatusForbidden, `{"text":"no\u001b[2J\r\nhere"}`, "no [2J  here"},
		{http.StatusUnauthorized, `{"message":"Unauthorized"}`, "Unauthorized"},
		{http.StatusBadGateway, `<html>`, "the host answers with status 502"},
		{http.StatusInternalServerError, ``, "the host answers with status 500"},
		{http.StatusOK, `<html>`, "the answer of the host"},
		{http.StatusOK, `{"user":"` + strings.Repeat("x", maxAnswer) + `"}`, "the answer of the host"},
	} {
		_, err := at(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}, t.TempDir(), "", "status")
		if err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%d %.40s: %v", c.status, c.body, err)
		}
	}
	followed := false
	_, err := at(t, func(w http.ResponseWriter, r *http.Request) {
		followed = followed || r.URL.Path == "/elsewhere"
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}, t.TempDir(), "password\n", "sign-in", "carol")
	if err == nil || followed {
		t.Errorf("the password was sent on: %v", err)
	}
}

// Passwords and codes don't travel in clear, and a token goes to its host alone.
func TestWhereItGoes(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://example.com", "http://127.0.0.1.example.com", "ftp://localhost", "https://", "example.com", "https://user:password@example.com"} {
		if _, err := newAPI(address); err == nil {
			t.Errorf("%s is accepted", address)
		}
	}
	for _, address := range []string{"https://example.com/", "http://localhost:1", "http://[::1]:1", "http://127.0.0.2"} {
		if a, err := newAPI(address); err != nil || strings.HasSuffix(a.at, "/") {
			t.Errorf("%s: %v", address, err)
		}
	}
	folder := t.TempDir()
	k := keep{filepath.Join(folder, "session.json")}
	if err := k.save("https://example.com", "secret"); err != nil {
		t.Fatal(err)
	}
	_, err := at(t, func(w http.ResponseWriter, r *http.Request) {
		if sent := r.Header.Get("Authorization"); sent != "" {
			t.Errorf("another host gets %q", sent)
		}
		answer(w, http.StatusUnauthorized, object{})
	}, folder, "", "status")
	if err == nil {
		t.Error("nobody is signed in there")
	}
	if got, err := k.load("https://example.com"); got != "secret" || err != nil {
		t.Errorf("%q, %v", got, err)
	}

	// A file that others could read is replaced, and one that is broken can be deleted.
	if err := os.WriteFile(k.path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	nothing := func(http.ResponseWriter, *http.Request) {}
	if _, err := at(t, nothing, folder, "", "status"); err == nil || !strings.Contains(err.Error(), "sign-out deletes it") {
		t.Error(err)
	}
	if err := k.save("https://example.com", "new"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(k.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := at(t, nothing, folder, "", "sign-out"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); len(left) != 0 || err != nil {
		t.Errorf("%v are left, %v", left, err)
	}
}

func TestAsCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"123456": `"123456"`, "123 456": `"123 456"`, "": `""`, "12 34 56": `"12 34 56"`,
		"123456 234567 345678": `["123456","234567","345678"]`, "123456  234567\t345678": `["123456","234567","345678"]`,
		"123456 234567": `"123456 234567"`, "ABCD-EFGH-JKMN-PQRS": `"ABCD-EFGH-JKMN-PQRS"`,
	} {
		got, err := json.Marshal(asCode(typed))
		if err != nil || string(got) != want {
			t.Errorf("%q is sent as %s, want %s", typed, got, want)
		}
	}
}
