// Package sessions keeps the sessions of scs in a table, by GORM.
package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A Session is a row of the table, for AutoMigrate. One without data has ended.
type Session struct {
	Token   string `gorm:"primaryKey;size:255"`
	Data    []byte
	Expires int64
}

// Sweep deletes the sessions that have expired, by the clock of the machine.
func Sweep(ctx context.Context, db *gorm.DB) error {
	return db.WithContext(ctx).Where("expires <= ?", time.Now().Unix()).Delete(&Session{}).Error
}

// New returns the table of sessions for scs. A session that has ended stays ended.
func New(db *gorm.DB) scs.CtxStore { return sessions{nil, db} }

// sessions uses the clock of the machine, as scs does. scs calls the methods with a context,
// and never those of the Store that is embedded.
type sessions struct {
	scs.Store
	tables *gorm.DB
}

func (t sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	var x Session
	err = t.tables.WithContext(ctx).Where("token = ? AND expires > ? AND length(data) > 0", token, time.Now().Unix()).Take(&x).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("finding a session: %w", err)
	}
	return x.Data, true, nil
}

func (t sessions) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	x := Session{token, data, expires.Unix()}
	changed := t.tables.WithContext(ctx).Where("length(data) > 0").Updates(&x)
	if changed.Error != nil || changed.RowsAffected > 0 {
		return changed.Error
	}
	// It is new, or it has ended and stays as it is.
	return t.tables.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&x).Error
}

// DeleteCtx empties the session and leaves its row to the sweep. Another request of the same
// session may still be running. It writes the session at its end, and would restore a row
// that was deleted.
func (t sessions) DeleteCtx(ctx context.Context, token string) error {
	return t.tables.WithContext(ctx).Model(&Session{Token: token}).Update("data", []byte{}).Error
}
