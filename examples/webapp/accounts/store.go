// Package accounts is the application's own database: users with their passwords and roles,
// links to a new password, the rule about second factors, and sessions. What the library
// keeps of a user is in a table of its own beside these.
package accounts

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/libtnb/sqlite"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/semaphore"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/database"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sessions"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// ErrNoUser says that there is no such user, or that the password is wrong. Callers can't
// tell which.
var ErrNoUser = errors.New("no such user")

// A Store is the database. It is safe for concurrent use.
type Store struct {
	SQL     *sql.DB
	Dialect sqlstore.Dialect

	tables *gorm.DB
	now    func() time.Time
	cost   int
	dummy  []byte // a hash of no user's password

	// slots limits how many passwords are hashed at once: each takes long.
	slots *semaphore.Weighted
}

// Open opens the database at an address, and creates what is missing in it. The cost is that
// of bcrypt.
func Open(ctx context.Context, address string, cost int, now func() time.Time) (*Store, error) {
	db, dialect, err := database.Open(address)
	if err != nil {
		return nil, doing("opening the database", err)
	}
	s := &Store{SQL: db, Dialect: dialect, now: now, cost: cost, slots: semaphore.NewWeighted(4)}
	s.tables, err = gorm.Open(map[sqlstore.Dialect]gorm.Dialector{
		sqlstore.SQLite:     &sqlite.Dialector{Conn: db},
		sqlstore.PostgreSQL: postgres.New(postgres.Config{Conn: db}),
		sqlstore.MySQL:      mysql.New(mysql.Config{Conn: db}),
	}[dialect], &gorm.Config{Logger: logger.Discard, TranslateError: true, SkipDefaultTransaction: true})
	if err == nil {
		s.dummy, err = bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(doing("opening the database", err), db.Close())
	}
	return s, nil
}

// migrate creates the tables, with the row of the rule. Processes that start at the same
// time may get into each other's way: the one that fails tries again, and finds what the
// other has made. That can't happen more often than there are tables and indexes.
func (s *Store) migrate(ctx context.Context) (err error) {
	options := ""
	if s.Dialect == sqlstore.MySQL { // which takes some letters for others by default
		options = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	}
	for range 8 {
		db := s.tables.WithContext(ctx).Set("gorm:table_options", options)
		if err = db.AutoMigrate(&User{}, &link{}, &Mandate{}, &sessions.Session{}); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	return s.tables.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&Mandate{ID: 1, ExemptClients: true}).Error
}

// Sessions returns the table of sessions, so that they survive a restart.
func (s *Store) Sessions() scs.CtxStore { return sessions.New(s.tables) }

// Sweep deletes expired sessions and links.
func (s *Store) Sweep(ctx context.Context) error {
	err := sessions.Sweep(ctx, s.tables)
	if err == nil {
		err = s.tables.WithContext(ctx).Where("expires <= ?", s.now().Unix()).Delete(&link{}).Error
	}
	return doing("sweeping", err)
}
