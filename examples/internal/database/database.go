// Package database opens the database that an address names, so that the programs of one
// service take the same address.
package database

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Usage says what an address can be, for the usage of a flag.
const Usage = "`address` of the database: sqlite://file, postgres://user:password@host/name or mysql://user:password@tcp(host)/name; without it, SQLite in the folder"

// Open opens the database. What follows mysql:// is as the driver has it. Drivers connect
// later, so a wrong password is not noticed here.
func Open(address string) (*sql.DB, sqlstore.Dialect, error) {
	kind, rest, _ := strings.Cut(address, "://")
	switch kind {
	case "sqlite":
		db, err := sqlite.Open(rest)
		return db, sqlstore.SQLite, err
	case "postgres", "postgresql":
		db, err := sql.Open("pgx", address)
		return db, sqlstore.PostgreSQL, err
	case "mysql":
		db, err := sql.Open("mysql", rest)
		return db, sqlstore.MySQL, err
	}
	return nil, 0, fmt.Errorf("the address of a database begins with sqlite://, postgres:// or mysql://, not with %q", kind)
}

var passwords = regexp.MustCompile(`(://[^:@/]*:).*(@)|(password=)[^&]*`)

// Masked returns an address with xxxxx in place of its password, to be printed.
func Masked(address string) string {
	return passwords.ReplaceAllString(address, "${1}${3}xxxxx${2}")
}
