package hosttest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// forgedCases send requests that another site or another user has made up.
var forgedCases = []testCase{
	{
		name: "cross-site",
		duty: "Refuse requests that another site makes a browser send, with http.CrossOriginProtection, a token or cookies that are SameSite.",
		check: func(s *stage) error {
			for _, c := range s.host.changes() {
				if err := s.forged(c, crossSite); err != nil {
					return fmt.Errorf("a form of another site does %s in a browser that is signed in: %w", c.name, err)
				}
			}
			m, err := s.halfway(s.mallory)
			if err != nil {
				return err
			}
			m.hold = true
			s.host.SendCode(m, s.code(s.mallory))
			victim := s.at(s.mallory)
			for _, r := range m.held {
				r.site, r.plain, r.token = "cross-site", true, ""
				victim.send(r)
			}
			if s.isIn(victim, s.mallory) {
				return fmt.Errorf("a form of another site signs a browser in as the attacker, who has filled in a code (%s)", victim.story())
			}
			return nil
		},
	},
	{
		name:  "get",
		duty:  "Change nothing in answer to a GET: links, images and prefetching send one from anywhere. Read codes with PostFormValue.",
		wants: []string{"Begin, Disable or RenewCodes"},
		check: func(s *stage) error {
			for _, c := range s.host.changes() {
				if err := s.forged(c, link); err != nil {
					return fmt.Errorf("a link does %s in a browser that is signed in: %w", c.name, err)
				}
			}
			return nil
		},
	},
	{
		name: "other-user",
		duty: "Take the user id from your own session, never from what the client sent.",
		check: func(s *stage) error {
			carol := s.newPerson("carol@example.com")
			for _, target := range []*person{s.alice, carol} {
				for _, forge := range []func(r *request){s.renamed(s.mallory, target), s.named(target)} {
					if err := s.asAnother(target, forge); err != nil {
						return err
					}
				}
				b, err := s.signedIn(s.mallory)
				if err != nil {
					return err
				}
				b.User, b.alter = target.User, s.renamed(s.mallory, target)
				if s.host.SignedIn(b) {
					return fmt.Errorf("a session becomes that of another user, whom the request names (%s)", b.story())
				}
				if err := s.sees(b, target); err != nil {
					return err
				}
			}
			return nil
		},
	},
}

// forged has alice's browser send what it needs for a change, with a right code, as a
// forged request.
func (s *stage) forged(c change, forge func(*Browser, *request)) error {
	b, err := s.signedIn(s.alice)
	if err != nil {
		return err
	}
	b.alter = func(r *request) {
		if r.method != http.MethodGet {
			forge(b, r)
		}
	}
	return s.unchanged(s.alice, func() { c.do(b, s.code(s.alice)) })
}

// crossSite makes the request one of a form on another site. That site knows what it
// wants, and none of the hidden fields.
func crossSite(b *Browser, r *request) {
	r.site, r.plain = "cross-site", true
	r.header, r.token, r.hidden = nil, "", nil
	r.cookies = b.jar.forSite(r.target, r.site, r.method)
}

// link makes the request a link on another site.
func link(b *Browser, r *request) {
	var object map[string]any
	if r.json != nil && json.Unmarshal(r.json, &object) == nil {
		r.typed = url.Values{}
		for name, value := range object {
			r.typed.Set(name, fmt.Sprint(value))
		}
	}
	r.method, r.json = http.MethodGet, nil
	crossSite(b, r)
}

// asAnother has mallory do everything with requests that name another user.
func (s *stage) asAnother(target *person, forge func(*request)) error {
	s.lab.Clock.Advance(24 * time.Hour) // an account makes few sets of recovery codes a day
	touched := false
	s.lab.onSave(func(userID string) { touched = touched || userID == target.ID })
	defer s.lab.onSave(nil)
	try := func(what string, b *Browser, do func()) error {
		b.alter = forge
		do()
		if touched || s.isIn(b, target) {
			return fmt.Errorf("%s works on the account of another user, whom the request names (%s)", what, b.story())
		}
		return nil
	}
	b, err := s.halfway(s.mallory)
	if err != nil {
		return err
	}
	if err := try("SendCode", b, func() { s.host.SendCode(b, s.code(s.mallory)) }); err != nil {
		return err
	}
	for _, c := range s.host.changes() {
		b, err := s.signedIn(s.mallory)
		if err != nil {
			return err
		}
		if err := try(c.name, b, func() { c.do(b, s.code(s.mallory)) }); err != nil {
			return err
		}
		if err := s.restore(s.mallory); err != nil {
			return err
		}
	}
	return nil
}

// sees loads the settings of another user, whose authenticators have a name of their own
// then.
func (s *stage) sees(b *Browser, target *person) error {
	if target.app == nil {
		return nil
	}
	const name = "hosttest's owl"
	ctx := context.Background()
	status, err := s.guard.Status(ctx, target.ID)
	if err != nil {
		return err
	}
	for _, a := range status.Authenticators {
		if err := s.guard.Rename(ctx, target.ID, a.ID, name); err != nil {
			return err
		}
	}
	from := len(s.lab.exchanges())
	for _, forge := range []func(*request){s.renamed(s.mallory, target), s.named(target)} {
		look := b.clone()
		look.User, look.alter, look.hold = s.mallory.User, forge, true
		for _, c := range s.host.changes() {
			c.do(look, "")
		}
		for _, path := range s.host.Protected {
			look.Get(path)
		}
	}
	for _, x := range s.lab.exchanges()[from:] {
		if x.page.Contains(name) {
			return fmt.Errorf("%s %s shows the settings of another user, whom the request names", x.method, x.page.target)
		}
	}
	return nil
}

// restore gives a person a second factor again who has switched it off.
func (s *stage) restore(p *person) error {
	state, err := s.state(p)
	if err != nil || state.enabled {
		return err
	}
	return s.enroll(p)
}

// renamed puts the target for a person wherever a request has one of the person's names.
func (s *stage) renamed(from, target *person) func(*request) {
	return func(r *request) {
		r.replaceValue(from.ID, target.ID)
		r.replace(from.Login, target.Login)
	}
}

// named adds fields with the usual names to a request.
func (s *stage) named(target *person) func(*request) {
	return func(r *request) {
		for _, name := range []string{"user", "user_id", "userid", "userId", "uid", "account", "account_id"} {
			r.add(name, target.ID)
		}
		for _, name := range []string{"login", "email", "username", "name"} {
			r.add(name, target.Login)
		}
	}
}
