package main

import (
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// A route says what answers a pattern, and what guards it.
type route struct {
	pattern string
	guard   func(handler) handler
	handler handler
}

func (a *app) routes() []route {
	open := func(next handler) handler { return next }
	code := func(purpose enrollment.Purpose, allow func(handler) handler) func(handler) handler {
		return func(next handler) handler { return a.withCode(purpose, allow, next, next) }
	}
	resetting := code(resetPurpose, a.withLink)
	changing := code(passwordPurpose, a.signedIn)
	return []route{
		{"GET /{$}", open, a.home},
		{"GET /sign-up", open, a.signUpForm},
		{"POST /sign-up", open, a.signUp},
		{"GET /sign-in", open, a.signInForm},
		{"POST /sign-in", open, a.signIn},
		{"POST /sign-out", open, a.signOut},
		{"POST /confirm", a.signedIn, a.confirmPassword},

		{twoFactorPath + "/disable", a.signedIn, a.disabling},

		{"GET /forgot", open, a.forgotForm},
		{"POST /forgot", open, a.forgot},
		{"GET /forgot/link", open, a.openLink},
		{"GET " + resetPath, resetting, a.resetForm},
		{"POST " + resetPath, resetting, a.reset},

		{"GET /password", changing, a.passwordForm},
		{"POST /password", changing, a.changePassword},
		{"GET /data", code(dataPurpose, a.signedIn), a.data},
		{"GET /messages", open, a.letters},
		{"GET /health", open, a.health},

		{"GET /admin/members", a.administrator, a.members},
		{"GET /admin/members.csv", a.administrator, a.membersFile},
		{"GET /admin/mandate", a.administrator, a.mandateForm},
		{"POST /admin/mandate", a.administrator, a.setMandate},
		{"GET /admin/member", a.administrator, a.member},
		{"POST /admin/member", a.administrator, a.help},
	}
}

// handler returns the whole site.
func (a *app) handler() http.Handler {
	site := http.NewServeMux()
	for _, x := range a.routes() {
		a.shows[x.pattern] = demo.Name(x.handler)
		site.Handle(x.pattern, a.answer(x.guard(x.handler)))
	}
	site.Handle(twoFactorPath+"/", a.twofactor)
	site.Handle("GET /.well-known/change-password", http.RedirectHandler("/password", http.StatusSeeOther))
	if a.config.demo != nil {
		a.config.demo.routes(site, a)
	}

	all := http.NewServeMux()
	all.Handle("GET /static/{file}", http.FileServerFS(static)) // without {file}, it would list the folder
	all.Handle("/", a.received(a.sessions.LoadAndSave(a.routed(site))))
	return front.Logged(front.Strict(all, a.config.secure), a.log)
}
