package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/alexedwards/scs/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A session is a row of the table of sessions. One without data has ended.
type session struct {
	Token   string `gorm:"primaryKey;size:255"`
	Data    []byte
	Expires int64
}

// Sessions returns the table of sessions for scs, so that they survive a restart.
func (s *Store) Sessions() scs.CtxStore { return sessions{nil, s.tables} }

// sessions uses the clock of the machine, as scs does. scs calls the methods with a context,
// and never those of the Store that is embedded.
type sessions struct {
	scs.Store
	tables *gorm.DB
}

func (t sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	var x session
	err = t.tables.WithContext(ctx).Where("token = ? AND expires > ? AND length(data) > 0", token, time.Now().Unix()).Take(&x).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, false, nil
	}
	return x.Data, err == nil, doing("finding a session", err)
}

func (t sessions) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	x := session{token, data, expires.Unix()}
	changed := t.tables.WithContext(ctx).Where("length(data) > 0").Updates(&x)
	if changed.Error != nil || changed.RowsAffected > 0 {
		return doing("saving a session", changed.Error)
	}
	// It is new, or it has ended and stays as it is.
	return doing("saving a session", t.tables.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&x).Error)
}

// DeleteCtx empties the session and leaves its row to the sweep. Another request of the same
// session may still be running. It writes the session at its end, and would restore a row
// that was deleted.
func (t sessions) DeleteCtx(ctx context.Context, token string) error {
	return doing("deleting a session", t.tables.WithContext(ctx).Model(&session{Token: token}).Update("data", []byte{}).Error)
}
