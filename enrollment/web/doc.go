// Package web serves a second factor over net/http: the page that asks for the
// code, the setup with its QR code, the recovery codes, the security page, and the code
// before something sensitive. It knows no router, session library or template engine,
// and keeps nothing between requests. An application that already checks a password
// adds:
//
//	var pages *web.Pages
//	pages, err := web.New(guard, web.Config{
//		User: func(r *http.Request) (string, error) {
//			return pages.Current(r.Context(), sessions.User(r), sessions.Stamp(r))
//		},
//		Start: func(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
//			return nil, sessions.Start(w, r, in) // if in.Renewed, with the At of the old one
//		},
//		Reauth: func(r *http.Request) (time.Time, error) { return sessions.At(r), nil },
//	})
//	mux.Handle("/2fa/", pages)
//	mux.Handle("/delete", pages.RequireRecent("delete-account", 5*time.Minute)(deleteAccount))
//
// In its login handler, instead of starting the session:
//
//	pages.SignIn(w, r, userID, enrollment.SignInOptions{})
//
// And the settings page links to "/2fa/". A ServeMux panics if "/2fa/" and "GET /" are both
// registered: write "GET /{$}" or "/" for the home page. The application still does what the
// documentation of package enrollment asks of it, except for what is done here: it
// need not set Cache-Control, and the pages below Path need no protection against
// cross-site requests. Do not compress these pages: an attacker who chooses the path
// in them could learn the secrets beside it from the length of the answer.
//
// # Clients without a browser
//
// Each route answers in JSON as well. A request that changes something is sent with
// Content-Type: application/json, and a GET with Accept: application/json. Such a client
// gets tokens in the answer and sends them in the body; cookies are neither read nor
// set. A receipt goes into the header Twofactor-Receipt. Names are those of the JSON of
// package enrollment, spelt exactly so. An object with the same name twice is refused. A
// denial has a status, the members of [enrollment.Denied], and a text for the user:
//
//	POST /sign-in          challenge, code, trust   success, session, device, new_code
//	POST /sign-in/text     challenge                an enrollment.Delivery
//	POST /sign-in/reset    challenge                an enrollment.ResetRequest
//	GET  /                                          an enrollment.Status
//	POST /step             for, code, challenge     success, session, new_code
//	POST /step/begin       for                      an enrollment.Decision
//	POST /step/text        for                      an enrollment.Delivery
//	POST /setup/begin      name, replace, ticket    token, expires, uri, qr, secret, secret_grouped, codes
//	POST /setup            token, code              success, event, codes, session
//	POST /setup/cancel
//	POST /codes/token                               token
//	POST /codes/new        token                    codes, receipt, session
//	POST /codes/again      token                    codes
//	GET  /codes/kept                                codes
//	POST /rename           id, name
//	POST /remove           id                       session
//	POST /resynchronize    id, code
//	POST /disable                                   session
//	POST /address          to, ticket               token, expires
//	POST /address/code     token, code              success, event, codes, session
//	POST /address/remove                            session
//	GET  /devices                                   devices
//	POST /devices/rename   id, name
//	POST /devices/revoke   id, or none for all
//	POST /reset/cancel
//
// A code is a text. Three consecutive codes are a list of texts: codes of an app, if the
// member three_codes of an answer offers that, or of the hardware token for /resynchronize.
// The member digits of the Decision and of the Status says how many digits a code has.
//
// Where a sign-in demands a setup, the client gets enroll_token: in the Decision with
// must_enroll, or in a denial of POST /sign-in as must_replace, with the id to send as
// replace. It sends enroll_token to the routes /setup and /address instead of a session,
// and gets the session in the answer to the first code.
//
// A client has the setup token before it sends the code, and the token of /codes/token
// before it asks for new codes. If an answer is lost, the old session has ended with the
// change: the client signs in again with a code of the app, and then gets the recovery codes
// with /codes/again, until ten minutes after the token has expired.
//
// The code that replaces a used one is in new_code. The same request again, with the same
// challenge, is denied as challenge_spent with the same new_code. For POST /step, the client
// gets the challenge from /step/begin; it can also send a code without a challenge.
//
// # What a browser does
//
// A sign-in that demands a setup leads to the setup. Its first code signs the user in and
// leads to where the user wanted to go. Until then nobody is signed in: a cookie has the
// token of the sign-in, and only the pages of the setup accept it.
//
// A right code after wrong ones leads to a page that says how many: somebody else may know
// the password. There is no such page if as many wrong codes were typed in this browser
// within ten minutes, one at a time, and the last wrong code was typed here too. In JSON it
// is success.wrong_codes.
//
// Every POST leads to a GET, also one that is denied: no reload repeats a change or a
// guess. Recovery codes are shown until the user says that they are saved: a second
// click, a reload, or a lost answer shows them again. Once a session has shown them, only
// a session shows them again: the next person at the browser does not see them. Tokens
// are in cookies (__Host-, HttpOnly, SameSite=Lax) and never in an address or in the
// application's session, so a stolen session id alone shows no secret and changes no
// factor; see Config.Reauth for the first minutes. It can do what needs no proof: rename,
// end trust in devices, and cancel what is pending.
//
// The recovery code that replaces a used one (Config.ReplenishCodes of the Guard) is shown
// in the same way. After an answer that was lost, the same form sent again shows the new
// code, and the user signs in again: a code works once, and its use ends the session. Before
// something sensitive, a form with a recovery code is first answered with status 307 and a
// cookie, and the browser sends it once more.
//
// Two accounts can be open in two tabs. A form acts only for the account of its page.
// If another account has signed in since, it leads to a page that says so, and to a new
// sign-in. With Config.Account, the pages that ask for a code name the account.
//
// The setup of a hardware token takes its key from the seed file of the vendor, so it
// needs a page of the application, which calls [enrollment.Guard.Begin] with
// BeginOptions.HardwareToken, and Confirm with the first code. The pages of this package do
// what comes after, such as adjusting to the clock of the token.
//
// The pages work without JavaScript. Their Content-Security-Policy allows none but
// script.js, which sends a code with its last digit, counts down waits, copies, prints,
// and shows times in the zone of the reader.
//
// # Other words, pages and layouts
//
// Config.Text replaces most words. Config.Render replaces a page by its name, or puts
// [Page.Body] into the layout of the application. A more specific pattern in the
// application's mux replaces a route.
//
// If the path to return to leads on to another origin, as at an OpenID provider, Render
// has to name that origin in Content-Security-Policy. Chromium applies form-action also
// to the redirects that follow a form, and would stay on the page. The example of Config
// shows it.
//
// Names in Go, routes and members of JSON are promised; the markup is not. The package
// calls nothing but the public methods of the Guard: an application that outgrows it can
// copy the folder.
package web
