package bench

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// settle does after a table was filled what the database would do later.
func (d *Database) settle(ctx context.Context, table string) error {
	var after []string
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		after = []string{"VACUUM ANALYZE " + table, "CHECKPOINT"}
	case sqlstore.MySQL:
		after = []string{"ANALYZE TABLE " + table}
	default:
		after = []string{"ANALYZE " + table, "PRAGMA wal_checkpoint(TRUNCATE)"}
	}
	for _, statement := range after {
		if _, err := d.DB.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// size returns how many bytes the table and its indexes have on disk. In SQLite it
// leaves out pages that are free.
func (d *Database) size(ctx context.Context, table string) (bytes int64, err error) {
	statement, args := "", []any{table}
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		statement = "SELECT pg_total_relation_size($1::text::regclass)"
	case sqlstore.MySQL:
		// The size of the file. What information_schema.tables says is an estimate.
		statement = "SELECT file_size FROM information_schema.innodb_sys_tablespaces WHERE name = concat(database(), '/', ?)"
	default:
		statement = "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?1)"
	}
	err = d.DB.QueryRowContext(ctx, statement, args...).Scan(&bytes)
	return bytes, err
}
