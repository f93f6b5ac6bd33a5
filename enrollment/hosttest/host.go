package hosttest

import "net/http"

// A Host tells the suite how a person uses the application. The functions do what a
// person does in a browser, whether it succeeds or not: they check nothing and fail no
// test, because the suite also calls them where the application must refuse.
//
// The fields above Protected are required. Without an optional one, the cases that need
// it are skipped.
type Host struct {
	// Handler serves the whole application, with the middleware that it has in
	// production. For an application that runs elsewhere, it can be an
	// [net/http/httputil.ReverseProxy].
	Handler http.Handler

	// NewUser adds a user with that login name, which looks like an e-mail address,
	// and that password, and returns the id that the application passes to its Guard.
	NewUser func(login, password string) (userID string)

	// SignIn signs in as Browser.User with the password, up to the page that asks for
	// a code.
	SignIn func(b *Browser)

	// SendCode sends a code from the page on which SignIn ended.
	SendCode func(b *Browser, code string)

	// SignedIn loads a page that only signed-in users can see, and reports whether
	// Browser.User is signed in.
	SignedIn func(b *Browser) bool

	// Protected are the paths of more pages that only signed-in users can see.
	Protected []string

	// Begin asks for the setup of an authenticator, up to the page that shows the QR code.
	// The code is for applications that ask for one. It is empty if the user has no second
	// factor yet, and where the suite tries to do without. An application that asks for
	// the password gets Browser.User.Password, which is wrong where the suite tries to do
	// without.
	Begin func(b *Browser, code string)

	// Mandate makes the application demand a second factor of that user, whom NewUser has
	// added and who has none. After that, SignIn goes up to the page that leads to the
	// setup, and Begin and Confirm are called although nobody is signed in.
	Mandate func(userID string)

	// Clocked says that the application tells by Lab.Clock how long ago a user has entered
	// the password. If it uses another clock, the suite can't make that long ago, and
	// does not try to begin a setup then.
	Clocked bool

	// Confirm sends a code from the page on which Begin ended.
	Confirm func(b *Browser, code string)

	// Disable turns two-factor authentication off. The code and the password are proofs,
	// as in Begin. An application that has asked for a code recently may need neither.
	Disable func(b *Browser, code string)

	// RenewCodes makes new recovery codes. What proves it is as in Disable.
	RenewCodes func(b *Browser, code string)

	// StepUp sends a code that the application asks for before a sensitive action.
	// Sensitive tries that action and reports whether it was allowed; it is called
	// several times. Set both or none.
	StepUp    func(b *Browser, code string)
	Sensitive func(b *Browser) bool

	// OtherFlow goes up to the page that asks for a code for something other than a
	// sign-in, and that needs no password, for example a reset of the password.
	OtherFlow func(b *Browser)
}

// A User is a user of the application.
type User struct {
	ID       string // what NewUser returned
	Login    string
	Password string
}

// missing returns the name of a required field that is not set, or "".
func (h Host) missing() string {
	switch {
	case h.Handler == nil:
		return "Handler"
	case h.NewUser == nil:
		return "NewUser"
	case h.SignIn == nil:
		return "SignIn"
	case h.SendCode == nil:
		return "SendCode"
	case h.SignedIn == nil:
		return "SignedIn"
	}
	return ""
}

// A change is a function of a Host that changes someone's settings.
type change struct {
	name string
	do   func(b *Browser, code string)
}

// changes returns the functions of the application that change settings and take a
// proof.
func (h Host) changes() (all []change) {
	for _, c := range []change{{"Begin", h.Begin}, {"RenewCodes", h.RenewCodes}, {"Disable", h.Disable}} {
		if c.do != nil {
			all = append(all, c)
		}
	}
	return all
}
