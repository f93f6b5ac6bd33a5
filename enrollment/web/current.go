package web

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Current returns the id of the user of a session, as [Config].User returns it: userID if
// the stamp is the present one, and "" if a factor has been changed since [Config].Start put
// it into the session, which has then ended. It returns "" for no user. An error is a fault, of
// the store for example, and grants nothing.
func (p *Pages) Current(ctx context.Context, userID string, stamp enrollment.Stamp) (string, error) {
	if userID == "" {
		return "", nil
	}
	status, err := p.guard.Status(ctx, userID)
	if err != nil || status.Stamp != stamp {
		return "", err
	}
	return userID, nil
}
