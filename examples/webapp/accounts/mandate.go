package accounts

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Mandate says whether all users must have a second factor. The zero Mandate says no. The
// table has one row.
type Mandate struct {
	ID        int `gorm:"primaryKey;autoIncrement:false"`
	Mandatory bool
	Since     int64 // when it was turned on, in Unix seconds
	GraceDays int   // for users who joined before that

	ExemptClients bool // it does not apply to clients
}

// Deadline returns when the days of grace end.
func (m Mandate) Deadline() time.Time { return time.Unix(m.Since, 0).UTC().AddDate(0, 0, m.GraceDays) }

// For returns the options of a sign-in of the user. Users who joined after the mandate
// began have no days of grace.
func (m Mandate) For(u User) enrollment.SignInOptions {
	if !m.Mandatory || m.ExemptClients && u.Role == RoleClient {
		return enrollment.SignInOptions{}
	}
	o := enrollment.SignInOptions{Require: true}
	if u.Joined < m.Since {
		o.Grace = m.Deadline()
	}
	return o
}

// Mandate returns the mandate.
func (s *Store) Mandate(ctx context.Context) (m Mandate, err error) {
	return m, doing("reading the mandate", s.tables.WithContext(ctx).Take(&m, 1).Error)
}

// SetMandate changes the mandate.
func (s *Store) SetMandate(ctx context.Context, m Mandate) error {
	m.ID = 1
	return doing("setting the mandate", s.tables.WithContext(ctx).Select("*").Updates(&m).Error)
}
