package readme

import (
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"gorm.io/gorm"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Each function below takes what an application has and returns its *sql.DB, and a
// store on it.

func fromGORM(gormDB *gorm.DB, dialect sqlstore.Dialect) (*sql.DB, *sqlstore.Store, error) {
	db, err := gormDB.DB() // GORM
	accounts := sqlstore.New(db, dialect)

	return db, accounts, err
}

func fromEnt(driver *entsql.Driver, dialect sqlstore.Dialect) (*sql.DB, *sqlstore.Store) {
	db := driver.DB() // ent: the driver that you pass to your client
	accounts := sqlstore.New(db, dialect)

	return db, accounts
}

func fromSQLX(sqlxDB *sqlx.DB, dialect sqlstore.Dialect) (*sql.DB, *sqlstore.Store) {
	db := sqlxDB.DB // sqlx
	accounts := sqlstore.New(db, dialect)

	return db, accounts
}

func fromPgxpool(pool *pgxpool.Pool) (*sql.DB, *sqlstore.Store) {
	db := stdlib.OpenDBFromPool(pool) // pgxpool: package github.com/jackc/pgx/v5/stdlib
	accounts := sqlstore.New(db, sqlstore.PostgreSQL)

	return db, accounts
}
