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

// size returns how many bytes the table has on disk, and how many of them its indexes
// have. In SQLite it leaves out pages that are free. In MariaDB the accounts are in the
// index of the primary key, which counts as the table.
func (d *Database) size(ctx context.Context, table string) (all, indexes int64, err error) {
	var statement string
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		statement = "SELECT pg_total_relation_size($1::text::regclass), pg_indexes_size($1::text::regclass)"
	case sqlstore.MySQL:
		// The size of the file, and an estimate: the server knows no better.
		statement = "SELECT file_size, index_length FROM information_schema.innodb_sys_tablespaces f JOIN information_schema.tables t" +
			" ON f.name = concat(t.table_schema, '/', t.table_name) WHERE t.table_schema = database() AND t.table_name = ?"
	default:
		statement = "SELECT sum(pgsize), sum(pgsize) FILTER (WHERE name <> ?1) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?1)"
	}
	err = d.DB.QueryRowContext(ctx, statement, table).Scan(&all, &indexes)
	return all, indexes, err
}
