package hosttest

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// setUp has a person who has no second factor set one up with the pages of the
// application. It returns the browser and the page with the QR code.
func (s *stage) setUp(p *person) (*Browser, Page, error) {
	b := s.at(p)
	s.host.SignIn(b)
	if !s.isIn(b, p) {
		return nil, Page{}, fmt.Errorf("a user without a second factor is not signed in after SignIn (%s)", b.story())
	}
	s.host.Begin(b, "")
	page := b.page
	uri, err := page.setupURI()
	if err != nil {
		return nil, Page{}, fmt.Errorf("after Begin %w (%s)", err, b.story())
	}
	if err := p.scan(uri); err != nil {
		return nil, Page{}, fmt.Errorf("after Begin the page shows a key that no app can read: %w", err)
	}
	s.host.Confirm(b, s.code(p))
	state, err := s.state(p)
	if err != nil {
		return nil, Page{}, err
	}
	if !state.enabled {
		return nil, Page{}, fmt.Errorf("Confirm does not turn two-factor authentication on (%s)", b.story())
	}
	p.codes = b.page.recoveryCodes()
	return b, page, nil
}

var (
	uriRE    = regexp.MustCompile(`otpauth://[^\s"'<>]+`)
	keyRE    = regexp.MustCompile(`(?:\b[A-Za-z2-7]{4}[ -]?){8,}`)
	codeRE   = regexp.MustCompile(`\b(?:[0-9A-Za-z]{4}-){3,6}[0-9A-Za-z]{2,4}\b|\b[0-9A-Za-z]{26}\b`)
	elements = regexp.MustCompile(`<[^>]*>`)
)

// text returns the body as a reader or a program sees it.
func (p Page) text() string {
	return html.UnescapeString(strings.NewReplacer(`\u0026`, "&", `\/`, "/").Replace(p.Body))
}

// setupURI returns the otpauth URI of the setup that the page shows: as a link, or made of
// the key that can be typed.
func (p Page) setupURI() (string, error) {
	if uri := uriRE.FindString(p.text()); uri != "" {
		return uri, nil
	}
	if key := keyRE.FindString(elements.ReplaceAllString(p.text(), "")); key != "" {
		key = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(key))
		return "otpauth://totp/account?secret=" + url.QueryEscape(key), nil
	}
	return "", errors.New("the page shows neither an otpauth link nor the key as text")
}

// recoveryCodes returns the recovery codes that the page shows.
func (p Page) recoveryCodes() (codes []string) {
	for _, text := range codeRE.FindAllString(elements.ReplaceAllString(p.text(), " "), -1) {
		if _, err := recovery.ParseCode(text); err == nil {
			codes = append(codes, text)
		}
	}
	return codes
}
