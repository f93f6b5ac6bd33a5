package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Config is what [New] needs from an application. User, Start and Reauth are required.
type Config struct {
	// User returns the id of the user whom the request's session belongs to, and ""
	// for nobody; [Pages.Current] looks whether the session has ended with a change of
	// factor. An error is a fault of the application.
	User func(r *http.Request) (userID string, err error)

	// Start gives the browser a new session of that user, and ends the one it has. It
	// sets headers, such as a cookie, and writes no body. It is called at each sign-in,
	// and again when a change has given the account a new Stamp, so that the session id
	// changes with it; see [SignedIn].Renewed. What it returns is the member "session" of
	// an answer in JSON, for clients that keep a bearer token. An error is a fault of the
	// application: nobody is signed in.
	Start func(w http.ResponseWriter, r *http.Request, in SignedIn) (session any, err error)

	// Reauth returns when the first factor was last checked in the session of the
	// request: [SignedIn].At of the sign-in, or [enrollment.Guard.Now] when the user
	// entered the password again. If that is at most [enrollment.ReceiptTTL] ago by the
	// clock of the Guard, it proves what [enrollment.ByReauth] proves. A time that is more
	// than a minute ahead of that clock proves nothing.
	// Otherwise the user is asked for a code, or sent to Login where no code can help.
	// It returns the zero time if it does not know. If it never knows, nobody can turn on a
	// second factor here, except where a sign-in demands that, or the Guard has
	// UnprovenSetup.
	Reauth func(r *http.Request) (at time.Time, err error)

	// Account returns the name of the user's account, which apps, the sheet of recovery
	// codes and the pages that ask for a code show. Defaults to the id of the user in apps
	// and on the sheet. The pages that ask for a code then name no account.
	Account func(ctx context.Context, userID string) (string, error)

	// Issuer returns the name of the service that apps and the sheet of recovery codes
	// show, for an application that has several names, and "" for that of the Guard.
	// Choose it from a list of your own: anybody can send any Host.
	// Defaults to nil: the name is always that of the Guard.
	Issuer func(r *http.Request) string

	// Render writes a page. Defaults to [Page.Write]. The headers of the package are
	// set by then; Render can replace them.
	Render func(w http.ResponseWriter, r *http.Request, page Page)

	// Address reads what a user has typed as the address for codes in messages, such as
	// a phone number, and returns it as [enrollment.BindOptions] takes it. It returns
	// the channel "" if the text is no such address. An error is a fault of the
	// application. Defaults to nil: no address can be added, and one that is there
	// works.
	Address func(r *http.Request, typed string) (channel, to string, err error)

	// Text returns the words for a key, and "" for the words of this package. The keys
	// are those of [Texts]. Defaults to the words of this package in the language
	// that the request asks for: English or German. These stay in one of the two: what was
	// denied, events, names of factors and channels, times, and the sheet of recovery codes.
	// They are words of package wording. Render can replace them: Page.Problem by words for
	// Page.Denied, for example.
	Text func(r *http.Request, key string) string

	// Fail answers a request that failed for a reason that is not the user's. Log the
	// error, tell the user nothing of it, and raise an alarm for [enrollment.ErrCorrupt]
	// and [enrollment.ErrMissing]. It is not called for [enrollment.ErrBusy] and
	// [enrollment.ErrNotSent]: the pages ask the user to try again, in JSON with status
	// 503. So log in your Sender what fails there. Defaults to an entry in [log/slog] and
	// status 500 without a body.
	Fail func(w http.ResponseWriter, r *http.Request, err error)

	// Path is where Pages is mounted, without a slash at the end. Pages with other paths
	// on the same host, such as those of its administrators, have cookies of their own.
	// Defaults to "/2fa".
	Path string

	// Login is the path of the page that asks for the first factor, without a query. It
	// gets where to go after it as the parameter "return": a path of this host, but check
	// that, since anybody can write a link. It must ask even when the user is signed in: a
	// user without a second factor is sent here before turning it on, until Reauth returns a
	// fresh time. A page that leads such a user on to "return" makes an endless loop.
	// Defaults to "/login".
	Login string

	// Home is the path that a sign-in leads to. Defaults to "/".
	Home string

	// Origins says which other origins may send requests that change something.
	// Defaults to none.
	Origins *http.CrossOriginProtection

	// Insecure lets cookies travel over plain HTTP, for development. Anybody in the
	// network can then read them. Without it, browsers keep no cookie that comes over plain
	// HTTP, except some for localhost: after the right password, the page for the code asks
	// to sign in first. Defaults to false.
	Insecure bool

	// TrustDevices offers to skip the code in this browser for a while; see
	// [enrollment.Devices], which says what that weakens. Defaults to false.
	TrustDevices bool

	// Resets offers users who have lost everything to ask for a reset; see
	// [enrollment.ResetRequests], which says what that weakens. The Guard needs a
	// Notify. Defaults to false.
	Resets bool
}

// usualPath is the default of Config.Path.
const usualPath = "/2fa"

// SignedIn is what [Config].Start puts into a session.
type SignedIn struct {
	// UserID is who is signed in.
	UserID string

	// Renewed says that nobody has signed in: the session of the same user goes on, with
	// a new id and another Stamp, because a factor was changed. Keep what the session
	// holds, also the time of its sign-in.
	Renewed bool

	// At is the time of the sign-in by the clock of the Guard, for [Config].Reauth. It is
	// the zero time if Renewed is set.
	At time.Time

	// Factor is the second step: the factor of the code, or what replaced it. It is ""
	// if none was needed, and if Renewed is set.
	Factor enrollment.Factor

	// EnrollBy is until when the user has to set up a second factor, or the zero time.
	EnrollBy time.Time

	// Stamp goes into the session; see [enrollment.Stamp].
	Stamp enrollment.Stamp

	// Success is what the Guard says of the code, without the Receipt, the NewCode and the
	// Challenge. The pages tell the user of its WrongCodes, and JSON has all of it. Success.Drift and
	// Success.CodesLeft are left to the application. It is the zero Success if no code was
	// needed, and if Renewed is set.
	Success enrollment.Success
}

// Pages is the flow of a second factor as an [http.Handler]. It is safe for concurrent
// use and keeps nothing between requests.
type Pages struct {
	guard  *enrollment.Guard
	config Config
	named  bool // whether Config.Account is set
	routes map[string]route

	mu     sync.RWMutex
	within map[enrollment.Purpose]time.Duration // of RequireRecent, the longest
}

// A route is what answers at a path below Config.Path. Nil means that the method is
// not allowed.
type route struct {
	get, post func(*call)
	open      bool // the handler looks who is signed in
	data      bool // get answers in JSON as well
}

// complete fills in defaults and checks what was given.
func (c *Config) complete() error {
	switch {
	case c.User == nil:
		return errors.New("web: Config.User is nil")
	case c.Start == nil:
		return errors.New("web: Config.Start is nil")
	case c.Reauth == nil:
		return errors.New("web: Config.Reauth is nil, so nobody could turn on a second factor: return SignedIn.At of the session")
	}
	if c.Account == nil {
		c.Account = func(_ context.Context, userID string) (string, error) { return userID, nil }
	}
	if c.Issuer == nil {
		c.Issuer = func(*http.Request) string { return "" }
	}
	if c.Render == nil {
		c.Render = func(w http.ResponseWriter, _ *http.Request, page Page) { page.Write(w) }
	}
	if c.Text == nil {
		c.Text = func(*http.Request, string) string { return "" }
	}
	if c.Fail == nil {
		c.Fail = fail
	}
	if c.Origins == nil {
		c.Origins = new(http.CrossOriginProtection)
	}
	for _, field := range []struct {
		name  string
		value *string
		usual string
	}{{"Path", &c.Path, usualPath}, {"Login", &c.Login, "/login"}, {"Home", &c.Home, "/"}} {
		if *field.value == "" {
			*field.value = field.usual
		}
		if localPath(*field.value) == "" {
			return fmt.Errorf("web: Config.%s is not a path on this host", field.name)
		}
	}
	if c.Path == "/" || strings.HasSuffix(c.Path, "/") || strings.ContainsAny(c.Path, "?#%") {
		return errors.New("web: Config.Path has no name, ends in a slash, or is not plain")
	}
	if strings.ContainsAny(c.Login, "?#") {
		return errors.New("web: Config.Login has a query or a fragment, and gets a query")
	}
	return nil
}
