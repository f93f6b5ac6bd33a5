package hosttest_test

import (
	"log/slog"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// The one test that an application writes. Here newShop stands for what makes the
// application, with its Guard and its log.
func Example() {
	TestTwoFactor := func(t *testing.T) {
		hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
			keys, err := keyring.Generate("test")
			if err != nil {
				t.Fatal(err)
			}
			guard, err := lab.NewGuard(memory.New(), keys, enrollment.Config{Issuer: "Acme"})
			if err != nil {
				t.Fatal(err)
			}
			shop := newShop(guard, slog.New(slog.NewTextHandler(lab.Log, nil)))
			return hosttest.Host{
				Handler: shop.handler,
				NewUser: shop.addUser,
				SignIn: func(b *hosttest.Browser) {
					b.Get("/login")
					b.Submit("/login", "email", b.User.Login, "password", b.User.Password)
				},
				SendCode: func(b *hosttest.Browser, code string) { b.Submit("/login/code", "code", code) },
				SignedIn: func(b *hosttest.Browser) bool { return b.Get("/account").Contains(b.User.Login) },
				Begin: func(b *hosttest.Browser, code string) {
					b.Get("/security")
					b.Submit("/security/begin", "code", code)
				},
				Confirm: func(b *hosttest.Browser, code string) { b.Submit("/security/confirm", "code", code) },
			}
		})
	}

	_ = TestTwoFactor // go test finds it
	// Output:
}

// A client of JSON keeps what it needs in Browser.Header and reads the rest from the
// last answer.
func ExampleBrowser_SendJSON() {
	shop := newShop(nil, slog.Default())
	host := hosttest.Host{
		Handler: shop.handler,
		NewUser: shop.addUser,
		SignIn: func(b *hosttest.Browser) {
			b.SendJSON("POST", "/login", map[string]string{"email": b.User.Login, "password": b.User.Password})
		},
		SendCode: func(b *hosttest.Browser, code string) {
			page := b.SendJSON("POST", "/login/code", map[string]string{"challenge": b.Page().JSON("challenge"), "code": code})
			b.Header.Set("Authorization", "Bearer "+page.JSON("token"))
		},
		SignedIn: func(b *hosttest.Browser) bool { return b.Get("/account").JSON("email") == b.User.Login },
	}

	_ = host // what the function that Run gets returns
	// Output:
}
