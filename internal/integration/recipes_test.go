package integration_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/recipes/gormstore"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/recipes/pgxnative"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// recipes are the examples of stores on PostgreSQL.
var recipes = map[string]func(t *testing.T, dsn string) store.Store{
	"pgx": func(t *testing.T, dsn string) store.Store {
		pool, err := pgxpool.New(t.Context(), dsn+" pool_max_conns=8")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		db := stdlib.OpenDBFromPool(pool)
		migrated(t, sqlstore.New(db, sqlstore.PostgreSQL))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return pgxnative.New(pool)
	},
	"GORM": func(t *testing.T, dsn string) store.Store {
		db, err := gorm.Open(postgres.New(postgres.Config{Conn: testenv.OpenPostgres(t, dsn)}))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.AutoMigrate(&gormstore.Account{}); err != nil {
			t.Fatal(err)
		}
		return gormstore.New(db)
	},
}

// TestRecipes holds the examples of stores against the contract.
func TestRecipes(t *testing.T) {
	t.Parallel()
	for name, open := range recipes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store { return open(t, testenv.PostgresDSN(t)) })
			t.Run("nodes", func(t *testing.T) {
				storetest.RunNodes(t, func(t *testing.T) []store.Store {
					dsn := testenv.PostgresDSN(t)
					return []store.Store{open(t, dsn), open(t, dsn)}
				})
			})
		})
	}
}
