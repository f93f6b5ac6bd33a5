package web

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A Page is what [Config].Render shows. Which fields are set depends on the Name. It
// can hold a secret, recovery codes and tokens. They print as "[redacted]"; what Body and
// Write make of them does not.
type Page struct {
	// Name says which page it is:
	//
	//	sign-in   asks for the code of a sign-in
	//	wrong-codes   says after a right code that wrong ones were entered elsewhere
	//	step      asks for a code before something sensitive, or before a change
	//	begin     begins the setup of an app
	//	setup     shows the secret and asks for the first code
	//	codes     shows new recovery codes until the user has saved them
	//	new-code  shows in the same way the code that replaces a used one
	//	kept      shows recovery codes that are kept
	//	renew     makes new recovery codes
	//	security  shows where the account stands and what can be changed
	//	remove, disable, unbind   confirm a change
	//	resynchronize   asks for three codes of a hardware token whose clock is wrong
	//	address   asks for an address for codes in messages
	//	address-code   asks for the code that was sent there
	//	refused   says why a request was refused
	Name string

	// StatusCode is the HTTP status. 0 stands for 200.
	StatusCode int

	// Lang is the language of the words, for the attribute lang.
	Lang string

	// Title is the heading. Notice says what was done, and Problem what went wrong, or
	// they are "".
	Title, Notice, Problem string

	// Denied is what the Problem is about, if it is something that the user did. Its
	// Wait is what is left of the wait.
	Denied *enrollment.Denied

	// Setup is set for the page setup.
	Setup enrollment.Setup

	// Codes are the recovery codes to show.
	Codes recovery.Codes

	// Account is the name of the account, on a page that shows recovery codes. If
	// Config.Account is set, the pages sign-in and step have it, too.
	Account string

	// Status is where the account of the signed-in user stands.
	Status *enrollment.Status

	// Devices are the trusted devices, for the page security.
	Devices []enrollment.Device

	// Authenticator is the one that is to be removed, replaced or resynchronized.
	Authenticator *enrollment.Authenticator

	// Factors are those that the page takes a code of. If ByMessage is set, it asks for the
	// code of the message that went to Sent. If OnlyApp is set, it asks for a code of an app.
	// If ThreeCodes is set, it asks for three consecutive codes of an app, in fields of one
	// name.
	Factors                        []enrollment.Factor
	Sent                           *enrollment.Address
	ByMessage, OnlyApp, ThreeCodes bool

	// Digits is how many digits such a code has, if it is not a recovery code. It is 0 if
	// the apps and hardware tokens of the user differ: no digit is the last one then.
	Digits int

	// OfferThree, OfferTrust and OfferReset say what else a page that asks for a code
	// offers, OfferAddress that the pages security and begin can add an address, and
	// AskTicket that the setup needs the ticket of an administrator.
	OfferThree, OfferTrust, OfferReset, OfferAddress, AskTicket bool

	// Renewal stands for the new recovery codes that the page renew makes. Its text and
	// that of Setup.Token are the field "token" of the forms of these pages.
	Renewal enrollment.RenewalToken

	// Mark is the field "mark" of each form of the page. It stands for the account that the
	// page is about, and is no secret. Two accounts can be open in two tabs, and the form of
	// one does nothing to the other.
	Mark string

	// Action is where the form of the page is sent to. The fields "for" (with the
	// Purpose), "replace" and "return" are sent along, as far as they are set.
	Action  string
	Purpose enrollment.Purpose
	Replace string
	Return  string

	// Path is Config.Path, below which all links lead. Login and Home are
	// those of the Config.
	Path, Login, Home string

	urges  bool // the Notice says what the user has to do, and nothing that was done
	text   func(key string) string
	lang   *language
	now    time.Time
	issuer string
}

// LogValue returns "[redacted]".
func (Page) LogValue() slog.Value { return slog.StringValue("[redacted]") }

//go:embed templates/*.html
var files embed.FS

var templates = template.Must(template.ParseFS(files, "templates/*.html"))

// Body returns the content of the page, for the layout of an application. It holds no
// script and no style; those of the package are at style.css and script.js below Path,
// and every page works without them. The style is for a layout whose body has the class
// "twofactor-page", and that has the content in an element main.
func (p Page) Body() (template.HTML, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, p.Name+".html", view{p})
	return template.HTML(b.String()), err
}

// Write answers with the page in a plain layout.
func (p Page) Write(w http.ResponseWriter) {
	var b bytes.Buffer
	body, err := p.Body()
	if err == nil {
		err = templates.ExecuteTemplate(&b, "layout.html", struct {
			view
			Body template.HTML
		}{view{p}, body})
	}
	if err != nil { // a page of another package
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(max(p.StatusCode, http.StatusOK))
	_, _ = w.Write(b.Bytes())
}
