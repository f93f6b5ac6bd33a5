package hosttest

import (
	"fmt"
	"strings"
)

// elsewhereCase looks for the key of a pending setup in other browsers than the one that
// has begun it.
var elsewhereCase = testCase{
	name:  "setup-elsewhere",
	duty:  "Show the key and the QR code in the session that has begun the setup, and nowhere else: keep the setup token there.",
	wants: []string{"Begin"},
	check: func(s *stage) error {
		others, err := s.others()
		if err != nil {
			return err
		}
		b, err := s.signedIn(s.alice)
		if err != nil {
			return err
		}
		s.host.Begin(b, s.code(s.alice))
		uri, err := b.page.setupURI()
		if err != nil {
			return fmt.Errorf("%w: after Begin %w", errMoot, err)
		}
		setup := &person{User: s.alice.User}
		if err := setup.scan(uri); err != nil {
			return err
		}
		images := b.page.images()
		first := make(map[string]string) // what the own browser sees there
		for _, src := range images {
			first[src] = b.clone().Get(src).Body
		}
		seen := make(map[string]string) // the same for the others
		for _, x := range others {
			if s.opens(x.Browser, b, setup) {
				return fmt.Errorf("%s sees the key of a setup that another browser has begun (%s)", x.who, x.story())
			}
			for _, src := range images {
				if seen[src] == "" && x.clone().Get(src).Body == first[src] {
					seen[src] = x.who
				}
			}
		}
		// Another setup has another QR code, and all else is the same.
		s.host.Begin(b, s.code(s.alice))
		for i, src := range b.page.images() {
			if i >= len(images) || seen[images[i]] == "" {
				continue
			}
			if b.clone().Get(src).Body != first[images[i]] {
				return fmt.Errorf("%s can load the QR code of a setup that another browser has begun, from %s", seen[images[i]], strings.SplitN(images[i], "?", 2)[0])
			}
		}
		return nil
	},
}

// An other is a browser in which alice does not begin a setup.
type other struct {
	who string
	*Browser
}

func (s *stage) others() ([]other, error) {
	earlier, err := s.signedIn(s.alice)
	if err != nil {
		return nil, err
	}
	another, err := s.signedIn(s.mallory)
	if err != nil {
		return nil, err
	}
	return []other{
		{"somebody who is not signed in", s.at(s.mallory)}, {"another user", another}, {"another session of the user", earlier},
	}, nil
}

// opens loads the pages of the settings in a browser, and the one that shows the setup
// in another, and sends nothing. It reports whether one of them has the key.
func (s *stage) opens(x, begun *Browser, setup *person) bool {
	from := len(s.lab.exchanges())
	look := x.clone()
	look.hold = true
	for _, c := range s.host.changes() {
		c.do(look, "")
	}
	for _, path := range append([]string{begun.page.target}, s.host.Protected...) {
		look.Get(path)
	}
	x.trail = look.trail
	for _, e := range s.lab.exchanges()[from:] {
		if setup.seenIn(e.page.text()) != "" {
			return true
		}
	}
	return false
}

// images returns the addresses of the images that come from the application.
func (p Page) images() (all []string) {
	for _, t := range p.tags() {
		src := t.attributes["src"]
		if t.name == "img" && src != "" && !strings.HasPrefix(src, "data:") && !strings.Contains(src, "://") {
			all = append(all, src)
		}
	}
	return all
}
