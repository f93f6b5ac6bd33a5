package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
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

// serve answers requests until the context ends. It then waits for running requests to
// finish. Its limits are enough for any browser, and give little to a client that is slow
// on purpose. With the files of a certificate and its key, it speaks HTTPS.
func serve(ctx context.Context, listener net.Listener, s service, cert, key string, log *slog.Logger) error {
	web := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	var sweeps sync.WaitGroup
	sweeps.Go(func() { sweep(ctx, s) })
	failed := make(chan error, 1)
	go func() {
		if cert != "" {
			failed <- web.ServeTLS(listener, cert, key)
			return
		}
		failed <- web.Serve(listener)
	}()

	select {
	case err := <-failed: // the sweep ends with the program
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := web.Shutdown(grace)
	sweeps.Wait()
	return err
}

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
