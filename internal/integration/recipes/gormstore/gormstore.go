// Package gormstore keeps two-factor records in PostgreSQL by GORM. It is an example to copy,
// for an application that wants its own model of the table, which AutoMigrate(&Account{})
// creates. Where that does not matter, pass the *sql.DB that gormDB.DB returns to sqlstore:
// that is shorter, and checks the settings of the database.
//
// With a synchronous standby, pass that to sqlstore in any case. This recipe does not
// confirm a Save that was given up while the standby was away: its code is accepted, and works
// again after a failover. See "PostgreSQL" in the documentation of sqlstore.
//
// The *gorm.DB has to lead to the primary. A plugin such as dbresolver sends reads to
// replicas, whose records are old: give this recipe a *gorm.DB without it.
//
// Other databases need another type of UserID: COLLATE "C" is PostgreSQL's.
package gormstore

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// An Account is a row. Times are microseconds since 1970.
type Account struct {
	UserID  string `gorm:"primaryKey;type:text COLLATE \"C\""` // compared by its bytes
	Version int64  `gorm:"not null;autoIncrement:false"`
	State   string `gorm:"not null"`
	Due     *int64 `gorm:"index"`
	Updated int64  `gorm:"not null;autoUpdateTime:false"`
	Data    []byte `gorm:"not null"`
}

// TableName is part of GORM.
func (Account) TableName() string { return "twofactor_accounts" }

// A Store is a store.Store that lists, as enrollment.Open asks, and erases.
type Store interface {
	store.Store
	store.Lister
	store.Eraser
}

// New returns a store. GORM's log would show user ids, so it is off here.
func New(db *gorm.DB) Store {
	quiet := db.Session(&gorm.Session{Logger: logger.Discard, SkipDefaultTransaction: true})
	return storekit.New("gormstore", rows{quiet}).(Store)
}

type rows struct{ db *gorm.DB }

// Get implements storekit.Rows.
func (b rows) Get(ctx context.Context, userID string) (store.Record, error) {
	var a Account
	err := b.db.WithContext(ctx).Where("user_id = ?", userID).Take(&a).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return store.Record{}, store.ErrNotFound
	}
	if err != nil {
		return store.Record{}, err
	}
	return a.record()
}

// Put implements storekit.Rows.
func (b rows) Put(ctx context.Context, r store.Record, prev int64) error {
	a := Account{UserID: r.UserID, Version: r.Version, State: r.State.String(), Updated: r.Updated.UnixMicro(), Data: r.Data}
	if !r.Due.IsZero() {
		micro := r.Due.UnixMicro()
		a.Due = &micro
	}
	db := b.db.WithContext(ctx)
	if prev == 0 {
		db = db.Clauses(clause.OnConflict{DoNothing: true}).Create(&a)
	} else {
		// Select names every column: GORM leaves out zero values otherwise.
		db = db.Model(&Account{}).Where("user_id = ? AND version = ?", r.UserID, prev).
			Select("Version", "State", "Due", "Updated", "Data").Updates(&a)
	}
	if db.Error == nil && db.RowsAffected == 0 {
		return store.ErrConflict
	}
	return db.Error
}

// Delete implements storekit.Deleter.
func (b rows) Delete(ctx context.Context, userID string) error {
	return b.db.WithContext(ctx).Where("user_id = ?", userID).Delete(&Account{}).Error
}

// Scan implements storekit.Scanner.
func (b rows) Scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	return records(b.db.WithContext(ctx).Where("user_id > ?", after).Order("user_id").Limit(limit))
}

// Find implements storekit.Finder.
func (b rows) Find(ctx context.Context, userIDs []string) ([]store.Record, error) {
	return records(b.db.WithContext(ctx).Where("user_id IN ?", userIDs))
}

func records(query *gorm.DB) ([]store.Record, error) {
	var found []Account
	if err := query.Find(&found).Error; err != nil {
		return nil, err
	}
	var all []store.Record
	for _, a := range found {
		r, err := a.record()
		if err != nil { // it hides no others
			r = store.Record{UserID: a.UserID}
		}
		all = append(all, r)
	}
	return all, nil
}

func (a Account) record() (store.Record, error) {
	state, err := store.ParseState(a.State)
	r := store.Record{UserID: a.UserID, Version: a.Version, State: state, Updated: time.UnixMicro(a.Updated), Data: a.Data}
	if a.Due != nil {
		r.Due = time.UnixMicro(*a.Due)
	}
	return r, err
}
