// Command chi is a web application with chi, and sessions of scs in PostgreSQL. The
// second factor keeps its table in the same database, by the same pool.
//
//	export TWOFACTOR_KEYS=$(cat twofactor-demo.key) # see examples/README.md
//	go run ./examples/hosts/chi -db postgres://…
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/v2"
	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	dsn := flag.String("db", "", "`URL` of the PostgreSQL database")
	insecure := flag.Bool("insecure", false, "let cookies travel over plain HTTP, for curl and development")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("%v (another address: -addr localhost:0)", err)
	}
	pool, err := pgxpool.New(ctx, *dsn)
	if err != nil {
		log.Fatal(err)
	}
	a, err := newApp(ctx, pool, !*insecure)
	if err != nil {
		log.Fatal(err)
	}
	if err := a.openSecondFactor(ctx, pool); err != nil {
		log.Fatal(err)
	}
	a.users.Add("alice", "correct horse battery")
	log.Printf("listening on http://%s with the user alice and the password %q", listener.Addr(), "correct horse battery")
	if err := login.Serve(ctx, listener, a.handler()); err != nil {
		log.Fatal(err)
	}
}

type app struct {
	users    login.Users
	sessions *scs.SessionManager
	pages    *web.Pages
}

// newApp returns the application. With secure, its cookies travel over HTTPS only.
func newApp(ctx context.Context, pool *pgxpool.Pool, secure bool) (*app, error) {
	const table = `CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)`
	if _, err := pool.Exec(ctx, table); err != nil {
		return nil, err
	}
	a := &app{sessions: scs.New()}
	a.sessions.Store = pgxstore.NewWithCleanupInterval(pool, 0)
	a.sessions.Cookie.Secure = secure
	return a, nil
}

func (a *app) handler() http.Handler {
	r := chi.NewRouter()
	r.Use(a.sessions.LoadAndSave)
	r.Get("/login", login.Page)
	r.Post("/login", a.login)
	r.Get("/", a.home)
	r.Mount("/2fa", a.pages)
	r.With(a.pages.RequireRecent("danger", 5*time.Minute)).HandleFunc("/danger", login.Danger)
	return http.NewCrossOriginProtection().Handler(r)
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	user, ok := a.users.Check(r)
	if !ok {
		http.Error(w, "Wrong name or password.", http.StatusUnauthorized)
		return
	}
	a.pages.SignIn(w, r, user, enrollment.SignInOptions{})
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	if user, err := a.user(r); login.SignedIn(w, r, user, err) {
		login.Home(w, user, "/danger", "/2fa/")
	}
}

// user returns who is signed in, or "".
func (a *app) user(r *http.Request) (string, error) {
	ctx := r.Context()
	return a.pages.Current(ctx, a.sessions.GetString(ctx, "user"), enrollment.Stamp(a.sessions.GetString(ctx, "stamp")))
}
