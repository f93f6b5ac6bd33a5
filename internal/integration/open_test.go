package integration_test

import (
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// An application opens its accounts as a role that may not create tables, once they are
// there. Before that, it does not start.
func TestOpenRights(t *testing.T) {
	t.Parallel()
	for dialect, role := range map[sqlstore.Dialect]func(t *testing.T) (owner, app string, grant []string){
		sqlstore.PostgreSQL: postgresRole,
		sqlstore.MySQL:      mariaRole,
	} {
		t.Run(dialect.String(), func(t *testing.T) {
			t.Parallel()
			keys, err := keyring.Generate("test")
			if err != nil {
				t.Fatal(err)
			}
			open := func(dsn string) error {
				accounts := sqlstore.New(testenv.OpenSQL(t, dialect, dsn), dialect)
				_, _, err := enrollment.Open(t.Context(), accounts, keys, enrollment.Config{Issuer: "Acme"})
				return err
			}
			owner, app, grant := role(t)
			if err := open(app); err == nil || !strings.Contains(err.Error(), "enrollment: migrating the store: sqlstore: migrating: ") {
				t.Errorf("without tables: %v", err)
			}
			if err := open(owner); err != nil {
				t.Fatal(err)
			}
			execute(t, dialect, owner, grant...)
			if err := open(app); err != nil {
				t.Errorf("with tables: %v", err)
			}
		})
	}
}

func execute(t *testing.T, d sqlstore.Dialect, dsn string, statements ...string) {
	t.Helper()
	db := testenv.OpenSQL(t, d, dsn)
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// postgresRole makes a role in a fresh schema, and returns what grants it the tables.
func postgresRole(t *testing.T) (owner, app string, grant []string) {
	t.Helper()
	owner = testenv.PostgresDSN(t)
	var schema string
	if err := testenv.OpenPostgres(t, owner).QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
		t.Fatal(err)
	}
	role := "opens_" + schema
	execute(t, sqlstore.PostgreSQL, owner, "CREATE ROLE "+role+" LOGIN", "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
	return owner, testenv.Replaced(t, owner, "user=postgres", "user="+role), []string{
		"GRANT SELECT, INSERT, UPDATE, DELETE ON twofactor_accounts TO " + role,
		"GRANT SELECT ON twofactor_accounts_version TO " + role,
	}
}

// mariaRole is postgresRole for a user of a fresh database.
func mariaRole(t *testing.T) (owner, app string, grant []string) {
	t.Helper()
	owner = testenv.MariaDBDSN(t)
	var database string
	if err := testenv.OpenMariaDB(t, owner).QueryRowContext(t.Context(), "SELECT database()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	user := "opens_" + database
	execute(t, sqlstore.MySQL, owner,
		"CREATE TABLE other (id INT)", // without the right to anything in a database, nobody can connect to it
		"CREATE USER "+user+"@localhost", "GRANT SELECT ON other TO "+user+"@localhost")
	return owner, testenv.Replaced(t, owner, "root@", user+"@"), []string{
		"GRANT SELECT, INSERT, UPDATE, DELETE ON twofactor_accounts TO " + user + "@localhost",
		"GRANT SELECT ON twofactor_accounts_version TO " + user + "@localhost",
	}
}
