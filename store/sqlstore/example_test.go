package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A service on PostgreSQL. It imports a driver for its effect, here
// github.com/jackc/pgx/v5/stdlib, and hands the Store to enrollment.Open, which calls Migrate.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("pgx", "postgres://app@localhost/app")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(8)

	accounts := sqlstore.New(db, sqlstore.PostgreSQL)
	if err := accounts.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
}

// A host with migrations of its own puts this into one of them.
func ExampleSchema() {
	schema, err := sqlstore.Schema(sqlstore.PostgreSQL, "auth.twofactor")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(schema)
	// Output:
	// CREATE TABLE IF NOT EXISTS "auth"."twofactor" (
	//     user_id TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
	//     version BIGINT NOT NULL,
	//     state   TEXT   NOT NULL,
	//     due     BIGINT,
	//     updated BIGINT NOT NULL,
	//     data    BYTEA  NOT NULL
	// ) WITH (fillfactor = 80);
	//
	// CREATE INDEX IF NOT EXISTS "twofactor_due" ON "auth"."twofactor" (due) WHERE due IS NOT NULL;
	//
	// CREATE INDEX IF NOT EXISTS "twofactor_state" ON "auth"."twofactor" (state, user_id);
	//
	// CREATE TABLE IF NOT EXISTS "auth"."twofactor_version" (
	//     id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	//     version INTEGER NOT NULL
	// );
	//
	// INSERT INTO "auth"."twofactor_version" (id, version) VALUES (1, 1) ON CONFLICT (id) DO NOTHING;
}
