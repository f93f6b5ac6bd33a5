package accounts_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

func open(t *testing.T) *accounts.Store {
	t.Helper()
	s, err := accounts.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "app.db"), bcrypt.MinCost, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.SQL.Close() })
	return s
}

// A request that was slow writes what it changes, and not what it has read: a right that
// was taken away meanwhile does not come back.
func TestUpdateWritesOneField(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin, err := s.Create(t.Context(), "root@example.com", "correct horse battery", "en")
	if err != nil || !admin.Admin() {
		t.Fatalf("%+v, %v", admin, err)
	}
	slow := admin
	admin.Role = accounts.RoleMember
	if err := s.Update(t.Context(), admin, "Role"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPassword(t.Context(), admin.ID, "battery staple horse"); err != nil {
		t.Fatal(err)
	}
	slow.Language = "de"
	if err := s.Update(t.Context(), slow, "Language"); err != nil {
		t.Fatal(err)
	}
	got, err := s.ByID(t.Context(), admin.ID)
	if err != nil || got.Admin() || got.Language != "de" || got.Generation != admin.Generation+1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Authenticate(t.Context(), " Root@example.com", "battery staple horse"); err != nil {
		t.Error(err)
	}
}

// The text that is searched for is no pattern, and the list is in the order of the bytes.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, email := range []string{"b_1@example.com", "a%1@example.com", "-c!1@example.com", "b21@example.com"} {
		if _, err := s.Create(t.Context(), email, "correct horse battery", "en"); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string][]string{
		"":     {"-c!1@example.com", "a%1@example.com", "b21@example.com", "b_1@example.com"},
		"_1":   {"b_1@example.com"},
		"%1":   {"a%1@example.com"},
		"!1":   {"-c!1@example.com"},
		"x%":   nil,
		"\x00": nil,
		"\xff": nil,
	} {
		found, err := s.Search(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range found {
			got = append(got, u.Email)
			if u.Password != nil {
				t.Errorf("%s: the list has the hash of the password", u.Email)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
