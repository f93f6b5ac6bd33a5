package hosttest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// secretCases look for secrets where they can be found later.
var secretCases = []testCase{
	{
		name:  "no-store",
		duty:  "Send Cache-Control: no-store with every page that shows a QR code, a key or recovery codes.",
		wants: []string{"Begin", "Confirm"},
		check: func(s *stage) error {
			carol, setup, err := s.life()
			if err != nil {
				return err
			}
			for _, x := range s.lab.exchanges() {
				if carol.seenIn(x.page.text()) != "" && !x.page.unstored() {
					return fmt.Errorf("%s %s shows %s, and browsers and proxies may keep it", x.method, x.page.target, carol.seenIn(x.page.text()))
				}
			}
			if !setup.unstored() {
				return fmt.Errorf("%s is the page that Begin leads to, and browsers and proxies may keep it", setup.target)
			}
			return s.images(carol)
		},
	},
	{
		name:  "secrets-in-pages",
		duty:  "Show the key only until the setup is confirmed, and recovery codes once.",
		wants: []string{"Begin", "Confirm"},
		check: func(s *stage) error {
			carol, _, err := s.life()
			if err != nil {
				return err
			}
			before := len(s.lab.exchanges())
			b, err := s.signedIn(carol)
			if err != nil {
				return err
			}
			b.hold = true // load the pages of the settings and send nothing
			for _, c := range s.host.changes() {
				c.do(b, "")
			}
			for _, path := range s.host.Protected {
				b.Get(path)
			}
			for _, x := range s.lab.exchanges()[before:] {
				if what := carol.seenIn(x.page.text()); what != "" {
					return fmt.Errorf("%s %s shows %s to a user who has finished the setup long ago", x.method, x.page.target, what)
				}
			}
			return nil
		},
	},
	{
		name: "secrets-in-addresses",
		duty: "Put no code, key, password or setup token into an address: they end up in logs and histories. Read codes with PostFormValue, and draw the QR code with Setup.QR.",
		check: func(s *stage) error {
			carol, _, err := s.life()
			if err != nil {
				return err
			}
			for _, x := range s.lab.exchanges() {
				for _, address := range append(x.page.addresses(), x.page.target) {
					if what := carol.typedIn(address, 1); what != "" {
						return fmt.Errorf("an address of %s %s has %s in it", x.method, strings.SplitN(x.page.target, "?", 2)[0], what)
					}
				}
			}
			if s.host.Begin == nil {
				return nil
			}
			b, err := s.signedIn(carol)
			if err != nil {
				return err
			}
			s.host.Begin(b, s.code(carol))
			if s.setupTokens(carol, strings.Join(append(b.page.addresses(), b.page.target), " ")) {
				return fmt.Errorf("an address has the token of a pending setup in it, which shows the key (%s)", b.story())
			}
			return nil
		},
	},
	{
		name: "secrets-in-log",
		duty: "Log no codes, keys, passwords and setup tokens, and no forms.",
		check: func(s *stage) error {
			carol, _, err := s.life()
			if err != nil {
				return err
			}
			if what := carol.typedIn(s.lab.logged(), 2); what != "" {
				return fmt.Errorf("the log has %s in it", what)
			}
			if s.host.Begin == nil {
				return nil
			}
			b, err := s.signedIn(carol)
			if err != nil {
				return err
			}
			s.host.Begin(b, s.code(carol))
			if s.setupTokens(carol, s.lab.logged()) {
				return errors.New("the log has the token of a pending setup in it, which shows the key")
			}
			return nil
		},
	},
}

// life has a user set up a second factor, if the application shows how, sign in with
// right and wrong codes and with a recovery code, and make new recovery codes.
func (s *stage) life() (carol *person, setup Page, err error) {
	carol = s.alice
	if s.host.Begin != nil && s.host.Confirm != nil {
		carol = s.newPerson("carol@example.com")
		if _, setup, err = s.setUp(carol); err != nil {
			return nil, Page{}, err
		}
	}
	wrong := s.wrong(carol)
	carol.shown = append(carol.shown, wrong)
	for _, code := range []string{wrong, s.code(carol)} {
		if _, _, err := s.signsIn(carol, code); err != nil {
			return nil, Page{}, err
		}
	}
	if len(carol.codes) > 0 {
		if _, _, err := s.signsIn(carol, carol.codes[0]); err != nil {
			return nil, Page{}, err
		}
	}
	if s.host.RenewCodes != nil {
		b, err := s.signedIn(carol)
		if err != nil {
			return nil, Page{}, err
		}
		s.host.RenewCodes(b, s.code(carol))
		carol.codes = append(carol.codes, b.page.recoveryCodes()...)
	}
	return carol, setup, nil
}

// seenIn returns which secret of the person stands in a text, in words, or "".
func (p *person) seenIn(text string) string {
	plain := strings.ToUpper(strings.NewReplacer("-", "", " ", "", "%20", "", "+", "").Replace(elements.ReplaceAllString(text, "")))
	if strings.Contains(plain, p.secret) || strings.Contains(strings.ToUpper(text), p.secret) {
		return "the key of the authenticator"
	}
	for _, code := range p.codes {
		if strings.Contains(plain, strings.ToUpper(strings.ReplaceAll(code, "-", ""))) {
			return "a recovery code"
		}
	}
	return ""
}

var digitsRE = regexp.MustCompile(`[0-9]+`)

// typedIn returns which secret of the person stands in a text, or what else the person has
// typed, in words, or "". A number can be a code by chance, so it takes that many of them.
func (p *person) typedIn(text string, codes int) string {
	if what := p.seenIn(text); what != "" {
		return what
	}
	if strings.Contains(text, p.Password) || strings.Contains(text, strings.ReplaceAll(p.Password, " ", "+")) {
		return "the password"
	}
	found := make(map[string]bool)
	for _, digits := range digitsRE.FindAllString(text, -1) {
		if slices.Contains(p.shown, digits) {
			found[digits] = true
		}
	}
	if len(found) >= codes {
		return "a code"
	}
	return ""
}

// unstored reports whether nothing may keep the page.
func (p Page) unstored() bool {
	return strings.Contains(strings.ToLower(p.Header.Get("Cache-Control")), "no-store")
}

// addresses returns the addresses in the page that a browser would ask for.
func (p Page) addresses() (all []string) {
	all = append(all, p.Header.Get("Location"))
	for _, t := range p.tags() {
		for _, name := range []string{"href", "src", "action"} {
			if a := t.attributes[name]; !strings.HasPrefix(a, "otpauth:") && !strings.HasPrefix(a, "apple-otpauth:") && !strings.HasPrefix(a, "data:") {
				all = append(all, a)
			}
		}
	}
	return all
}

// images loads the images of the page with the QR code that not everybody can see.
func (s *stage) images(p *person) error {
	b := s.at(p)
	s.host.SignIn(b)
	s.host.SendCode(b, s.code(p))
	s.host.Begin(b, s.code(p))
	for _, src := range b.page.images() {
		own, anybodys := b.clone().Get(src), s.at(p).Get(src)
		if own.Status < 300 && own.Body != anybodys.Body && !own.unstored() {
			return fmt.Errorf("GET %s is the QR code, and browsers and proxies may keep it", own.target)
		}
	}
	return nil
}

// setupTokens reports whether the text has the token of a pending setup, which shows the
// key.
func (s *stage) setupTokens(p *person, text string) bool {
	for _, token := range tokenRE.FindAllString(text, -1) {
		if _, err := s.guard.Resume(context.Background(), p.ID, enrollment.SetupTokenOf(token)); err == nil {
			return true
		}
	}
	return false
}
