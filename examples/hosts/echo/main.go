// Command echo is a JSON API with echo and bearer tokens.
//
//	export TWOFACTOR_KEYS=$(cat twofactor-demo.key) # see examples/README.md
//	go run ./examples/hosts/echo
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
	"time"

	"github.com/labstack/echo/v4"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	path := flag.String("db", "echo.db", "SQLite `file` for the second factor")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("%v (another address: -addr localhost:0)", err)
	}
	a := newApp()
	if err := a.openSecondFactor(ctx, *path); err != nil {
		log.Fatal(err)
	}
	a.users.Add("alice", "correct horse battery")
	log.Printf("listening on http://%s with the user alice and the password %q", listener.Addr(), "correct horse battery")
	if err := login.Serve(ctx, listener, a.handler()); err != nil {
		log.Fatal(err)
	}
}

type app struct {
	users login.Users
	pages *web.Pages

	mu     sync.Mutex
	tokens map[string]session
}

// A session is what a bearer token stands for. A real application keeps a hash of the
// token in its database.
type session struct {
	user  string
	began time.Time
	stamp enrollment.Stamp
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
	e.Any("/2fa/*", echo.WrapHandler(a.pages))
	e.POST("/danger", a.danger, echo.WrapMiddleware(a.pages.RequireRecent("danger", 5*time.Minute)))
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
	a.pages.SignIn(c.Response(), c.Request(), user, enrollment.SignInOptions{})
	return nil
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
	return a.pages.Current(r.Context(), s.user, s.stamp)
}
