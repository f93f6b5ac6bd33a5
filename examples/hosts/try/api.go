package try

import (
	"sync"

	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
)

// object is the body of a request.
type object map[string]any

// API tells the suite how clients use a host that speaks JSON and gives bearer tokens.
func API() hosttest.Host {
	var demanded sync.Map // the tokens of sign-ins that demand a setup, by login
	// send keeps a new session or receipt for the requests that follow.
	send := func(b *hosttest.Browser, path string, in object) hosttest.Page {
		page := b.SendJSON("POST", path, in)
		if session := page.JSON("session"); session != "" {
			b.Header.Set("Authorization", "Bearer "+session)
		}
		if receipt := page.JSON("success.receipt"); receipt != "" && path == "/2fa/step" {
			b.Header.Set("Twofactor-Receipt", receipt)
		}
		return page
	}
	// change gives a code, and then makes the change that it proves.
	change := func(path string) func(*hosttest.Browser, string) {
		return func(b *hosttest.Browser, code string) {
			if code != "" {
				send(b, "/2fa/step", object{"for": "settings", "code": code})
			}
			send(b, path, object{})
		}
	}
	// setUp sends a request of a setup, in place of a session with the token that demands it.
	setUp := func(b *hosttest.Browser, path string, in object) {
		if token, ok := demanded.Load(b.User.Login); ok {
			in["enroll_token"] = token
		}
		send(b, path, in)
	}
	return hosttest.Host{
		SignIn: func(b *hosttest.Browser) {
			b.Header.Del("Authorization")
			page := send(b, "/login", object{"user": b.User.Login, "password": b.User.Password})
			if token := page.JSON("enroll_token"); token != "" {
				demanded.Store(b.User.Login, token)
			} else {
				demanded.Delete(b.User.Login)
			}
		},
		SendCode: func(b *hosttest.Browser, code string) {
			send(b, "/2fa/sign-in", object{"challenge": b.Page().JSON("challenge"), "code": code})
		},
		SignedIn: func(b *hosttest.Browser) bool { return b.Get("/").JSON("user") == b.User.Login },
		Begin: func(b *hosttest.Browser, code string) {
			if code != "" {
				send(b, "/2fa/step", object{"for": "settings", "code": code})
			}
			setUp(b, "/2fa/setup/begin", object{})
		},
		Confirm: func(b *hosttest.Browser, code string) {
			setUp(b, "/2fa/setup", object{"token": b.Page().JSON("token"), "code": code})
		},
		Disable: change("/2fa/disable"),
		RenewCodes: func(b *hosttest.Browser, code string) {
			send(b, "/2fa/step", object{"for": "settings", "code": code})
			send(b, "/2fa/codes/new", object{"token": send(b, "/2fa/codes/token", object{}).JSON("token")})
		},
		StepUp: func(b *hosttest.Browser, code string) {
			send(b, "/2fa/step", object{"for": "danger", "code": code})
		},
		Sensitive: func(b *hosttest.Browser) bool { return send(b, "/danger", object{}).JSON("danger") == "done" },
	}
}
