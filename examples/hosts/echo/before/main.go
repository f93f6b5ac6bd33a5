// Command before is the application of examples/hosts/echo before it had a second factor.
//
//	go run ./examples/hosts/echo/before
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/labstack/echo/v4"

	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("%v (another address: -addr localhost:0)", err)
	}
	a := newApp()
	a.users.Add("alice", "correct horse battery")
	log.Printf("listening on http://%s with the user alice and the password %q", listener.Addr(), "correct horse battery")
	if err := login.Serve(ctx, listener, a.handler()); err != nil {
		log.Fatal(err)
	}
}

type app struct {
	users login.Users

	mu     sync.Mutex
	tokens map[string]session
}

// A session is what a bearer token stands for. A real application keeps a hash of the
// token in its database.
type session struct {
	user string
}

func newApp() *app {
	return &app{tokens: make(map[string]session)}
}

func (a *app) handler() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if known := (*echo.HTTPError)(nil); !errors.As(err, &known) {
			log.Printf("%s %s: %v", c.Request().Method, c.Request().URL.Path, err)
		}
		e.DefaultHTTPErrorHandler(err, c)
	}
	e.POST("/sign-up", a.signUp)
	e.POST("/login", a.login)
	e.GET("/", a.home)
	e.POST("/danger", a.danger)
	return e
}

func (a *app) signUp(c echo.Context) error {
	if problem := a.users.SignUp(c.Request()); problem != "" {
		return echo.NewHTTPError(http.StatusUnprocessableEntity, problem)
	}
	return c.JSON(http.StatusOK, map[string]string{})
}

func (a *app) login(c echo.Context) error {
	user, ok := a.users.Check(c.Request())
	if !ok {
		return echo.NewHTTPError(http.StatusUnauthorized, "Wrong name or password.")
	}
	return c.JSON(http.StatusOK, map[string]string{"session": a.start(c.Request(), session{user: user})})
}

func (a *app) home(c echo.Context) error {
	user, err := a.member(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, map[string]string{"user": user})
}

func (a *app) danger(c echo.Context) error {
	if _, err := a.member(c); err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, map[string]string{"danger": "done"})
}

// member returns who is signed in. The error says that nobody is, or what has failed.
func (a *app) member(c echo.Context) (string, error) {
	user, err := a.user(c.Request())
	if err == nil && user == "" {
		err = echo.ErrUnauthorized
	}
	return user, err
}

// session returns what the token of the request stands for, or the zero session.
func (a *app) session(r *http.Request) session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens[bearer(r)]
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// start returns a new token. The one of the request ends.
func (a *app) start(r *http.Request, s session) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.tokens, bearer(r))
	token := rand.Text()
	a.tokens[token] = s
	return token
}

// user returns who is signed in, or "".
func (a *app) user(r *http.Request) (string, error) {
	s := a.session(r)
	return s.user, nil
}
