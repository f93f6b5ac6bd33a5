package database_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/database"
)

func TestMasked(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"sqlite:///var/lib/app.db":                         "sqlite:///var/lib/app.db",
		"postgres://ann@host/name":                         "postgres://ann@host/name",
		"postgres://host:5432/name?sslmode=disable":        "postgres://host:5432/name?sslmode=disable",
		"postgres://ann:secret@host:5432/name":             "postgres://ann:xxxxx@host:5432/name",
		"postgres://:secret@host/name":                     "postgres://:xxxxx@host/name",
		"postgres://host/name?password=secret&sslmode=off": "postgres://host/name?password=xxxxx&sslmode=off",
		"mysql://ann:se:cr/e@t@tcp(host:3306)/name":        "mysql://ann:xxxxx@tcp(host:3306)/name",
		"mysql://ann@tcp(host:3306)/name":                  "mysql://ann@tcp(host:3306)/name",
	} {
		if got := database.Masked(address); got != want {
			t.Errorf("%s is printed as %s", address, got)
		}
	}
}
