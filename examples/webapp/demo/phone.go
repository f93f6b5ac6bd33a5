package demo

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// maxAccounts is how many accounts the phone keeps: the latest.
const maxAccounts = 6

// A Phone has an authenticator app. It keeps secrets in memory and shows its codes to
// everybody: it is for demonstrations. It is safe for concurrent use.
type Phone struct {
	mu       sync.Mutex
	off      time.Duration // by how much its clock is wrong
	accounts []account
}

type account struct {
	key   totp.Key
	label totp.Label
}

// A Display is what the app shows for one account.
type Display struct {
	Issuer, Account string
	Codes           []Code // the present one, and those that follow
}

// A Code is shown from a time on, in milliseconds since 1970 by the clock of the machine.
type Code struct {
	Code string `json:"code"`
	From int64  `json:"from"`
}

// Scan adds the account of an otpauth URI. A later one with the same label replaces it.
func (p *Phone) Scan(uri string) error {
	key, label, err := totp.ParseURI(uri)
	if err != nil {
		return errors.New("demo: that is no otpauth URI")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts = slices.DeleteFunc(p.accounts, func(a account) bool { return a.label == label })
	p.accounts = slices.Insert(p.accounts, 0, account{key, label})
	p.accounts = p.accounts[:min(len(p.accounts), maxAccounts)]
	return nil
}

// Has reports whether the phone has the account of that name.
func (p *Phone) Has(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.accounts, func(a account) bool { return a.label.Account == name })
}

// Lose forgets all accounts.
func (p *Phone) Lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts = nil
}

// SetOff makes the clock of the phone wrong by that much. Off returns it.
func (p *Phone) SetOff(off time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = off
}

func (p *Phone) Off() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.off
}

// Show returns what the app shows at that time of the demonstration, and the next codes
// as well, so that a page needs no connection to keep up.
func (p *Phone) Show(now time.Time, following int) ([]Display, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shift := time.Since(now) // from the time of the demonstration to that of the machine
	var all []Display
	for _, a := range p.accounts {
		d := Display{Issuer: a.label.Issuer, Account: a.label.Account}
		step := a.key.Step(now.Add(p.off))
		for i := range int64(following + 1) {
			at := a.key.StepTime(step + i)
			code, err := a.key.Code(at)
			if err != nil {
				return nil, err
			}
			d.Codes = append(d.Codes, Code{code, at.Add(shift - p.off).UnixMilli()})
		}
		all = append(all, d)
	}
	return all, nil
}
