package hosttest_test

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
)

var accountPage = template.Must(template.New("").Parse(`Hello, {{.Login}}`))

func (a *app) account(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	a.show(w, accountPage, u)
}

var securityPage = template.Must(template.New("").Parse(`
<form method="post" action="/security/begin"><input name="code"><input type="password" name="password"></form>
<form method="post" action="/security/disable"><input name="code">{{with .User}}<input type="hidden" name="user" value="{{.}}">{{end}}</form>
<form method="post" action="/security/codes"><input name="code"></form>
{{.Key}}{{range .Apps}}<p>{{.Name}}</p>{{end}}
`))

func (a *app) security(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	var page struct {
		User, Key string
		Apps      []enrollment.Authenticator
	}
	if id := r.FormValue("user_id"); a.fault == "a page shows whom the address names" && id != "" {
		u.ID = id
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		a.fail(w, err)
		return
	}
	page.Apps = status.Authenticators
	switch a.fault {
	case "the form says who it is":
		page.User = u.ID
	case "the key is shown again", "every session shows the setup":
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.fault == "the key is shown again" || !status.SetupExpires.IsZero() {
			page.Key = a.keys[u.ID]
		}
	}
	a.show(w, securityPage, page)
}

// proof is the code that was typed, or the receipt of the last one.
func (a *app) proof(r *http.Request) enrollment.Proof {
	if code := r.FormValue("code"); code != "" {
		return enrollment.ByCode(code)
	}
	if a.fault == "a mark is a proof" && a.session(r).marked {
		return enrollment.ByReauth("password")
	}
	s := a.session(r)
	if a.fault == "a receipt counts in every session" {
		a.mu.Lock()
		defer a.mu.Unlock()
		s.receipt = a.receipts[s.user]
	}
	return enrollment.ByReceipt(enrollment.ReceiptOf(s.receipt))
}

var setupPage = template.Must(template.New("").Parse(`
<p>{{.Secret}}</p><a href="{{.URI}}">Open your app</a><img src="{{.QR}}">
<form method="post" action="/security/confirm"><input name="code"></form>
`))

func (a *app) begin(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	if id := r.FormValue("user_id"); a.fault == "a field can say who it is" && id != "" {
		u, _ = a.user(id)
	}
	proof := a.proof(r)
	if r.FormValue("code") == "" && (r.FormValue("password") == u.Password || a.fault == "a setup needs no password") {
		proof = enrollment.ByReauth("password")
	}
	demanded, mandated := a.mandate(r)
	if mandated {
		proof = demanded
	}
	setup, err := a.guard.Begin(r.Context(), u.ID, enrollment.BeginOptions{Account: u.Login, Proof: proof})
	if err != nil {
		a.fail(w, err)
		return
	}
	s := a.session(r)
	s.setup = setup.Token.Reveal()
	a.keep(r, s)
	if a.fault == "setup tokens are logged" {
		a.log.Info("a setup begins", "user", u.ID, "token", setup.Token.Reveal())
	}
	a.mu.Lock()
	a.keys[u.ID] = setup.Secret().Base32()
	a.mu.Unlock()
	if a.fault == "the setup token is in the address" && !mandated {
		http.Redirect(w, r, "/security/setup?token="+setup.Token.Reveal(), http.StatusSeeOther)
		return
	}
	a.showSetup(w, u, setup)
}

// setup is the page of a pending setup, for a fault.
func (a *app) setup(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	setup, err := a.guard.Resume(r.Context(), u.ID, enrollment.SetupTokenOf(r.FormValue("token")))
	if err != nil {
		a.fail(w, err)
		return
	}
	a.showSetup(w, u, setup)
}

func (a *app) showSetup(w http.ResponseWriter, u hosttest.User, setup enrollment.Setup) {
	code, err := setup.QR()
	if err != nil {
		a.fail(w, err)
		return
	}
	image, err := code.DataURI(240)
	if err != nil {
		a.fail(w, err)
		return
	}
	switch a.fault {
	case "another site draws the QR code":
		image = "https://qr.example/draw?text=" + url.QueryEscape(setup.URI())
	case "the QR code is kept":
		image = "/qr"
	case "everybody can see the QR code":
		image = "/qr/" + u.ID
	}
	a.show(w, setupPage, struct {
		Secret  string
		URI, QR template.URL
	}{setup.Secret().Grouped(), template.URL(setup.URI()), template.URL(image)})
}

// qr is the QR code as an image of its own.
func (a *app) qr(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	setup, err := a.guard.Resume(r.Context(), u.ID, enrollment.SetupTokenOf(a.session(r).setup))
	if err != nil {
		a.fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "private, max-age=3600")
	fmt.Fprint(w, "a picture of ", setup.Secret().Base32()[:8])
}

// anybodysQR does not ask who is there, for a fault.
func (a *app) anybodysQR(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(w, "a picture of %.8s", a.keys[r.PathValue("id")])
}

var codesPage = template.Must(template.New("").Parse(`<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>`))

func (a *app) confirm(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	s := a.session(r)
	done, err := a.guard.Confirm(r.Context(), u.ID, enrollment.SetupTokenOf(s.setup), r.PostFormValue("code"))
	if a.fault == "any first code signs in" && errors.Is(err, enrollment.ErrWrongCode) && s.enroll != "" {
		a.start(w, r, session{user: u.ID, unstamped: true})
		return
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	if s.user != "" || s.enrolling != "" || done.Success.Purpose == enrollment.PurposeSignIn && a.fault != "a mandated setup signs nobody in" {
		a.renewID(w, r, session{user: u.ID, stamp: done.Success.Stamp, receipt: done.Success.Receipt.Reveal()})
	}
	a.show(w, codesPage, done.Codes.Reveal())
}

func (a *app) renew(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	done, err := a.guard.RenewCodes(r.Context(), u.ID, a.proof(r))
	if err != nil {
		a.fail(w, err)
		return
	}
	s := a.session(r)
	s.stamp, s.receipt = done.Stamp, done.Receipt.Reveal()
	a.keep(r, s)
	a.show(w, codesPage, done.Codes.Reveal())
}

func (a *app) disable(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	if a.fault == "the form says who it is" {
		u, _ = a.user(r.PostFormValue("user"))
	}
	proof := a.proof(r)
	if a.fault == "nothing is a proof" || a.fault == passwordDisables && r.PostFormValue("password") == u.Password {
		proof = enrollment.ByReauth("password")
	}
	if err := a.guard.Disable(r.Context(), u.ID, proof); err != nil {
		a.fail(w, err)
		return
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		a.fail(w, err)
		return
	}
	a.renewID(w, r, session{user: u.ID, stamp: status.Stamp})
	http.Redirect(w, r, "/security", http.StatusSeeOther)
}

const secretPurpose enrollment.Purpose = "read-secret"

var stepPage = template.Must(template.New("").Parse(`<form method="post" action="/step"><input name="code"></form>`))

func (a *app) step(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	if id := r.FormValue("user_id"); a.fault == "a step-up can be somebody else's" && id != "" {
		u, _ = a.user(id)
	}
	ok, err := a.guard.Verify(r.Context(), u.ID, secretPurpose, r.PostFormValue("code"))
	s := a.session(r)
	if a.fault == "a denied step-up counts" {
		s.steppedAt = a.now()
		a.keep(r, s)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	if u.ID == s.user {
		s.stamp = ok.Stamp
	}
	s.stepped, s.steppedAt = ok.Receipt.Reveal(), ok.At
	a.keep(r, s)
	a.mu.Lock()
	a.steps[u.ID] = s.stepped
	a.mu.Unlock()
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

var secretPage = template.Must(template.New("").Parse(`the secret of {{.Login}}`))

// secret is a page for which a code is asked again.
func (a *app) secret(w http.ResponseWriter, r *http.Request, u hosttest.User) {
	s := a.session(r)
	if a.fault == "a step-up counts in every session" {
		a.mu.Lock()
		s.stepped = a.steps[u.ID]
		a.mu.Unlock()
	}
	_, err := a.guard.RecentlyVerified(r.Context(), u.ID, secretPurpose, enrollment.ReceiptOf(s.stepped), recently)
	switch a.fault {
	case "a step-up counts forever":
		if !s.steppedAt.IsZero() {
			err = nil
		}
	case "a step-up counts while the Guard fails":
		if !errors.Is(err, enrollment.ErrProof) {
			err = nil
		}
	case "a denied step-up counts", "a step-up can be somebody else's":
		if a.now().Sub(s.steppedAt) < recently {
			err = nil
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	a.show(w, secretPage, u)
}
