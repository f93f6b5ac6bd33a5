package main

import (
	"context"
	"net/http"
	"time"
)

// A service is an app, with the demonstration beside it or without.
type service interface {
	http.Handler
	running() *app
}

func openService(ctx context.Context, c config, demonstrated bool) (service, error) {
	if demonstrated {
		return newDemonstration(ctx, c)
	}
	return open(ctx, c)
}

func (a *app) running() *app                                    { return a }
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.site.ServeHTTP(w, r) }

// sweep does what is due, now and every minute, until the context ends.
func sweep(ctx context.Context, s service) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		s.running().sweep(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep deletes expired sessions and links, and delivers notifications that are due:
// reminders of requests for a reset, and events that a crash left undelivered.
func (a *app) sweep(ctx context.Context) {
	if err := a.accounts.Sweep(ctx); err != nil && ctx.Err() == nil {
		a.log.Error("sweeping the application", "error", err)
	}
	done, err := a.directory.Sweep(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.Error("sweeping accounts", "error", err)
	}
	for _, f := range done.Failed.First {
		a.log.Error("sweeping an account", "user", f.UserID, "error", f.Err)
	}
}
