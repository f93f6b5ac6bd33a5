// Command gin is a web application with gin, sessions of gorilla in files, and GORM.
// The second factor keeps its table in the same database.
//
//	export TWOFACTOR_KEYS=$(cat twofactor-demo.key) # see examples/README.md
//	go run ./examples/hosts/gin
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
	gormsqlite "github.com/libtnb/sqlite"
	"gorm.io/gorm"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	path := flag.String("db", "gin.db", "SQLite `file`")
	insecure := flag.Bool("insecure", false, "let cookies travel over plain HTTP, for curl and development")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("%v (another address: -addr localhost:0)", err)
	}
	gin.SetMode(gin.ReleaseMode)
	db, err := gorm.Open(gormsqlite.Open("file:"+*path+settings), &gorm.Config{})
	if err != nil {
		log.Fatal(err)
	}
	a := newApp(db, os.TempDir(), !*insecure)
	if err := a.openSecondFactor(ctx); err != nil {
		log.Fatal(err)
	}
	a.users.Add("alice", "correct horse battery")
	log.Printf("listening on http://%s with the user alice and the password %q", listener.Addr(), "correct horse battery")
	if err := login.Serve(ctx, listener, a.handler()); err != nil {
		log.Fatal(err)
	}
}

type app struct {
	db       *gorm.DB // of the application's own data
	users    login.Users
	sessions *sessions.FilesystemStore
	pages    *web.Pages
}

// newApp returns the application, which keeps its sessions in the folder. With secure, its
// cookies travel over HTTPS only.
func newApp(db *gorm.DB, folder string, secure bool) *app {
	key := make([]byte, 32) // of the cookies; a real application keeps it
	rand.Read(key)
	a := &app{db: db, sessions: sessions.NewFilesystemStore(folder, key)}
	a.sessions.Options.Secure, a.sessions.Options.HttpOnly = secure, true
	a.sessions.Options.SameSite = http.SameSiteLaxMode
	return a
}

func (a *app) handler() http.Handler {
	r := gin.New()
	r.GET("/login", gin.WrapF(login.Page))
	r.POST("/login", a.login)
	r.GET("/", a.home)
	r.Any("/2fa/*path", gin.WrapH(a.pages))
	r.Any("/danger", gin.WrapH(a.pages.RequireRecent("danger", 5*time.Minute)(http.HandlerFunc(login.Danger))))
	return http.NewCrossOriginProtection().Handler(r)
}

func (a *app) login(c *gin.Context) {
	user, ok := a.users.Check(c.Request)
	if !ok {
		c.String(http.StatusUnauthorized, "Wrong name or password.")
		return
	}
	a.pages.SignIn(c.Writer, c.Request, user, enrollment.SignInOptions{})
}

func (a *app) home(c *gin.Context) {
	if user, err := a.user(c.Request); login.SignedIn(c.Writer, c.Request, user, err) {
		login.Home(c.Writer, user, "/danger", "/2fa/")
	}
}

// user returns who is signed in, or "".
func (a *app) user(r *http.Request) (string, error) {
	s := a.session(r)
	user, _ := s.Values["user"].(string)
	stamp, _ := s.Values["stamp"].(string)
	return a.pages.Current(r.Context(), user, enrollment.Stamp(stamp))
}

// session returns the session of the browser, or an empty one.
func (a *app) session(r *http.Request) *sessions.Session {
	s, _ := a.sessions.Get(r, "session") // without a readable cookie, a new session
	return s
}

// start gives the browser a new session. The one that it has is deleted.
func (a *app) start(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	s.Options.MaxAge = -1
	if err := a.sessions.Save(r, w, s); err != nil {
		return err
	}
	s.ID, s.Options.MaxAge = "", int((12 * time.Hour).Seconds())
	return a.sessions.Save(r, w, s)
}
