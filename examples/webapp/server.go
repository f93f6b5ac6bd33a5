package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// A server serves the site.
type server struct {
	cert, key string
	handler   http.Handler
	current   func() *app
	log       *slog.Logger
}

// open opens the app that is served, with the demonstration beside it or without.
func (s *server) open(ctx context.Context, c config, demonstrated bool) error {
	if demonstrated {
		d, err := newDemonstration(ctx, c)
		if err == nil {
			s.handler, s.current = d, d.current
		}
		return err
	}
	a, err := open(ctx, c)
	if err == nil {
		s.handler, s.current = a.handler(), func() *app { return a }
	}
	return err
}

// serve answers requests until the context ends. It then waits for running requests to
// finish. Its limits are enough for any browser, and give little to a client that is slow
// on purpose.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	web := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	var sweeps sync.WaitGroup
	sweeps.Go(func() { s.sweep(ctx) })
	failed := make(chan error, 1)
	go func() {
		if s.cert != "" {
			failed <- web.ServeTLS(listener, s.cert, s.key)
			return
		}
		failed <- web.Serve(listener)
	}()

	select {
	case err := <-failed: // the sweep ends with the program
		return err
	case <-ctx.Done():
	}
	s.log.Info("shutting down")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := web.Shutdown(grace)
	sweeps.Wait()
	return err
}

// sweep does what is due, now and every minute, until the context ends.
func (s *server) sweep(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		s.current().sweep(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep deletes expired sessions and links, and delivers notifications that are due.
func (a *app) sweep(ctx context.Context) {
	a.sweepSessions(ctx)
	a.sweepAccounts(ctx)
}
