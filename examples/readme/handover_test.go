package readme

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
	gormsqlite "github.com/libtnb/sqlite"
	"gorm.io/gorm"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

const countAccounts = `SELECT count(*) FROM twofactor_accounts`

// The store works on the database of each library, and the library sees the
// account in it.
func TestHandover(t *testing.T) {
	t.Parallel()
	type opened struct {
		accounts *sqlstore.Store
		count    func(context.Context) (int, error) // by the library
	}
	for name, open := range map[string]func(*testing.T) opened{
		"GORM": func(t *testing.T) opened {
			gormDB, err := gorm.Open(&gormsqlite.Dialector{Conn: openSQLite(t)}, &gorm.Config{})
			if err != nil {
				t.Fatal(err)
			}
			_, accounts, err := fromGORM(gormDB, sqlstore.SQLite)
			if err != nil {
				t.Fatal(err)
			}
			return opened{accounts, func(ctx context.Context) (n int, err error) {
				return n, gormDB.WithContext(ctx).Raw(countAccounts).Scan(&n).Error
			}}
		},
		"ent": func(t *testing.T) opened {
			driver := entsql.OpenDB(dialect.SQLite, openSQLite(t))
			_, accounts := fromEnt(driver, sqlstore.SQLite)
			return opened{accounts, func(ctx context.Context) (n int, err error) {
				var rows entsql.Rows
				if err := driver.Query(ctx, countAccounts, []any{}, &rows); err != nil {
					return 0, err
				}
				defer rows.Close()
				return entsql.ScanInt(rows)
			}}
		},
		"sqlx": func(t *testing.T) opened {
			sqlxDB := sqlx.NewDb(openSQLite(t), "sqlite")
			_, accounts := fromSQLX(sqlxDB, sqlstore.SQLite)
			return opened{accounts, func(ctx context.Context) (n int, err error) {
				return n, sqlxDB.GetContext(ctx, &n, countAccounts)
			}}
		},
		"pgxpool": func(t *testing.T) opened {
			pool, err := pgxpool.New(t.Context(), testenv.PostgresDSN(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			db, accounts := fromPgxpool(pool)
			t.Cleanup(func() { db.Close() })
			return opened{accounts, func(ctx context.Context) (n int, err error) {
				return n, pool.QueryRow(ctx, countAccounts).Scan(&n)
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			if err := db.accounts.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			enroll(t, db.accounts)
			if n, err := db.count(t.Context()); n != 1 || err != nil {
				t.Errorf("the library counts %d accounts, %v, want 1", n, err)
			}
		})
	}
}

func openSQLite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
