package hosttest

import (
	"errors"
	"net/http"
	"testing"
)

// A Case is a case of the suite, for its own tests.
type Case struct {
	Name, Duty string
	c          testCase
}

// Cases returns all cases.
func Cases() (all []Case) {
	for _, c := range append([]testCase{works}, cases()...) {
		all = append(all, Case{c.name, c.duty, c})
	}
	return all
}

// Check tries the case with the host that open returns, and reports whether the host has
// what it needs.
func (c Case) Check(t *testing.T, open func(t *testing.T, lab *Lab) Host) (err error, ran bool) {
	lab := newLab()
	h := open(t, lab)
	if c.c.needs(h) != "" {
		return nil, false
	}
	if err = c.c.try(lab, h); errors.Is(err, errMoot) {
		err = nil
	}
	return err, true
}

// NewBrowser returns a browser of that application.
func NewBrowser(h http.Handler) *Browser { return newLab().browser(h, User{}) }
