package front

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve answers requests until the context ends. It then waits for running requests to
// finish. Its limits are enough for any browser, and give little to a client that is slow
// on purpose. With the files of a certificate and its key, it speaks HTTPS.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, cert, key string, log *slog.Logger) error {
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() {
		if cert != "" {
			failed <- web.ServeTLS(listener, cert, key)
			return
		}
		failed <- web.Serve(listener)
	}()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return web.Shutdown(grace)
}

// Every calls f now and after each interval, until the context ends.
func Every(ctx context.Context, interval time.Duration, f func()) {
	tick := time.Tick(interval)
	for {
		f()
		select {
		case <-tick:
		case <-ctx.Done():
			return
		}
	}
}
