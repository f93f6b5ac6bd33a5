package gallery

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
)

var language = flag.String("language", "en", "`language` of the pages")

// A host is an application with everything that is optional, in a browser. A cookie says
// who is signed in.
type host struct {
	*enrollmenttest.Kit
	*chromium.Tab
	t    *testing.T
	mail inbox
}

// inbox is a Sender that keeps the last code.
type inbox struct {
	mu   sync.Mutex
	code string
}

func (i *inbox) Send(_ context.Context, m enrollment.Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.code = m.Code()
	return nil
}

func open(t *testing.T, adjust ...func(*enrollment.Config)) *host {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a browser")
	}
	h := &host{t: t}
	h.Kit = enrollmenttest.New(t, append(adjust, func(c *enrollment.Config) { c.Issuer, c.Sender = "Acme", &h.mail })...)
	pages, err := web.New(h.Guard, web.Config{
		User: func(r *http.Request) (string, error) {
			cookie, err := r.Cookie("user")
			if err != nil {
				return "", nil
			}
			return cookie.Value, nil
		},
		Start: func(w http.ResponseWriter, _ *http.Request, in web.SignedIn) (any, error) {
			http.SetCookie(w, &http.Cookie{Name: "user", Value: in.UserID, Path: "/"})
			return nil, nil
		},
		Reauth:  func(*http.Request) (time.Time, error) { return h.Clock.Now(), nil },
		Account: func(_ context.Context, id string) (string, error) { return id, nil },
		Address: func(_ *http.Request, typed string) (string, string, error) { return "sms", typed, nil },
		Render: func(w http.ResponseWriter, _ *http.Request, page web.Page) {
			seen.Store(page.Name, true)
			page.Write(w)
		},
		Insecure: true, TrustDevices: true, Resets: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/2fa/", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept-Language", *language)
		pages.ServeHTTP(w, r)
	})
	mux.Handle("/danger", pages.RequireRecent("danger", 5*time.Minute)(http.NotFoundHandler()))
	mux.HandleFunc("/as/{user}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: r.PathValue("user"), Path: "/"})
		_, _ = w.Write([]byte("signed in"))
	})
	mux.HandleFunc("/login/{user}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Path: "/", MaxAge: -1})
		pages.SignIn(w, r, r.PathValue("user"), enrollment.SignInOptions{})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h.Tab = chromium.Open(t, server.URL)
	return h
}

// seen has the names of the pages that were written.
var seen sync.Map

// show looks at the page that is in the browser. Its fields and buttons have to be there,
// or the page is another one.
func (h *host) show(name string, has ...string) {
	h.t.Helper()
	for _, selector := range has {
		if len(h.Texts(selector)) == 0 {
			h.t.Fatalf("%s: there is no %s", name, selector)
		}
	}
	h.Keep(*language + "-" + name)
	h.Evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true })`)
	for _, b := range h.Barriers() {
		h.t.Errorf("%s: %s: %s: %s", name, b.Rule, b.Where, b.Why)
	}
}

// send sends the form with that action, after filling in fields from pairs.
func (h *host) send(action string, pairs ...string) {
	h.t.Helper()
	form := "form[action='" + action + "']"
	for i := 0; i < len(pairs); i += 2 {
		h.Fill(form+" [name="+pairs[i]+"]", pairs[i+1])
	}
	h.Next(func() { h.Evaluate(`document.querySelector("` + form + `").requestSubmit()`) })
}

// next returns the code that comes next.
func (h *host) next(app *enrollmenttest.App) string {
	h.Clock.Advance(app.Period())
	return app.Code(h.Clock.Now())
}

// bind gives the user an address for codes in messages.
func (h *host) bind(u *enrollmenttest.User) {
	h.t.Helper()
	messages := h.Guard.Messages()
	binding, err := messages.Bind(h.t.Context(), u.ID, enrollment.BindOptions{Channel: "sms", To: "+49 171 5551234", Proof: enrollment.ByCode(h.next(u.App))})
	if err == nil {
		_, err = messages.Confirm(h.t.Context(), u.ID, binding.Token, h.mail.code)
	}
	h.must(err)
	h.Clock.Advance(2 * time.Minute)
}

// trust trusts a device of the user.
func (h *host) trust(u *enrollmenttest.User, name string) {
	h.t.Helper()
	s, err := h.Guard.Verify(h.t.Context(), u.ID, enrollment.PurposeSignIn, h.next(u.App))
	if err == nil {
		_, err = h.Guard.Devices().Trust(h.t.Context(), u.ID, s.Receipt, name)
	}
	h.must(err)
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}
