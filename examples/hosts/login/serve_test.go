package login_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
)

// A host that is told to stop lets a request finish that it has begun.
func TestServe(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var finished atomic.Bool
	closing := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stop()
		<-closing
		for range 1000 { // time for a Serve that does not wait
			runtime.Gosched()
		}
		finished.Store(true)
		_, _ = io.WriteString(w, "finished")
	})
	ended := make(chan error, 1)
	go func() {
		err := login.Serve(ctx, listener, handler)
		if !finished.Load() {
			err = errors.New("it has ended before the request")
		}
		ended <- err
	}()
	go func() {
		defer close(closing)
		<-ctx.Done()
		for { // until the listener is closed
			c, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	answer, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); string(text) != "finished" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The page of a member leads to the others, and a name is text.
func TestHome(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	login.Home(w, "<b>", "/danger", "/2fa/")
	for _, want := range []string{"Hello, &lt;b&gt;", `<a href="/danger">`, `<a href="/2fa/">`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
}
