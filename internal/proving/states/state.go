// Package states leads accounts into the states that they can be in, with
// everything at hand that an operation could be called with. It walks the
// tables of states and of proofs in the documentation of package enrollment.
package states

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const (
	// User is whose account is in a state.
	User = "alice"

	// Other is somebody else, who has begun a setup.
	Other = "bob"
)

// A State is an account to start from, and everything that an operation could
// be called with.
type State struct {
	*proving.Kit
	Name    string
	Older   store.Record // an earlier record of the user; the zero Record if there is none
	Foreign store.Record // of the other user

	App, Second, Waits totp.Key // of two authenticators, and of a setup
	SecondID, TokenID  string
	Token, OldToken    enrollment.SetupToken
	Challenge, Spent   enrollment.Challenge
	Receipt            enrollment.Receipt
	Demand             enrollment.Proof // of a first setup, where it was made beforehand
	Codes              []string         // recovery codes; the first one is spent

	Shown   enrollment.SetupToken   // of a setup whose recovery codes were shown
	Renewal enrollment.RenewalToken // of a renewal

	Replaced     enrollment.Challenge // that was answered with this recovery code
	ReplacedCode string

	Device  enrollment.TrustedDevice
	Binding enrollment.SetupToken // of an address that waits
	Sent    enrollment.Challenge  // of a message
	Message string                // the code in the last message
	Ticket  enrollment.Ticket
	System  []string // recovery codes of another system; the first one is spent
	Replace enrollment.Replacement

	t     *testing.T
	ctx   context.Context // what operations are called with; nil for that of the test
	alone bool            // whether an address may be all that the account has
	never string          // a code that none of the keys shows
}

// adjust is what the configuration of a state differs in.
var adjust = map[string]func(c *enrollment.Config){
	"none, codes at setup": func(c *enrollment.Config) { c.CodesAtSetup = true },
	"pending, codes shown": func(c *enrollment.Config) { c.CodesAtSetup = true },
	"kept":                 func(c *enrollment.Config) { c.KeepCodes = true },
	"replenished":          func(c *enrollment.Config) { c.KeepCodes, c.ReplenishCodes = true, true },
	"asking":               func(c *enrollment.Config) { c.Notify = Taken },
	"asked":                func(c *enrollment.Config) { c.Notify = Taken },
	"busy":                 func(c *enrollment.Config) { c.Notify, c.KeepCodes = Taken, true },
	"matured":              func(c *enrollment.Config) { c.Notify = Taken },
	"outdated":             func(c *enrollment.Config) { c.ShortSecretsUntil = proving.Start },
	"mending":              func(c *enrollment.Config) { c.ShortSecretsUntil = proving.Start },
	"guessed":              func(c *enrollment.Config) { c.Notify = Taken },
	"alarmed":              func(c *enrollment.Config) { c.Notify = Taken },
}

// New leads an account into a state: none, pending, confirmed, staged,
// replacing, locked or disabled, or one of those in grow.go. Its Guard tells
// nobody anything, except where a state can't do without.
func New(t *testing.T, name string, scheme recovery.Scheme) *State {
	t.Helper()
	s := &State{t: t, Name: name}
	s.alone = !s.Enrolled()
	s.Kit = proving.New(t, func(c *enrollment.Config) {
		c.RecoveryScheme, c.RecoveryCodes, c.Notify = scheme, recovery.MinCount, nil
		c.Sender, c.AddressAlone = sender{s}, s.alone
		if f := adjust[name]; f != nil {
			f(c)
		}
	})
	// Keys that belong to nobody, so that a code of them is well formed.
	for _, key := range []*totp.Key{&s.App, &s.Second, &s.Waits} {
		other := s.NodeOver(memory.New(), s.Keys)
		setup, err := other.Begin(t.Context(), User, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
		s.Must(err)
		*key = proving.KeyOf(t, setup)
	}
	if name == "pending, codes shown" {
		setup, key := s.Begin(User, enrollment.BeginOptions{})
		s.Waits, s.Token, s.Codes = key, setup.Token, setup.Codes().Reveal()
	}
	s.Begin(Other, enrollment.BeginOptions{})
	s.Foreign = s.Record(Other)

	switch name {
	case "none", "none, codes at setup", "pending, codes shown":
	case "imported", "imported slowly":
		s.takeOver()
	case "outdated", "mending":
		s.outdate()
	case "alone":
		s.bindAlone()
	case "shown", "renewed":
		s.show(name == "renewed")
	case "pending":
		s.stage(enrollment.Proof{})
		s.keep()
		s.stage(enrollment.Proof{})
	default:
		s.enroll()
		switch name {
		case "staged":
			s.stage(enrollment.ByReceipt(s.Receipt))
			s.stage(enrollment.ByReceipt(s.Receipt))
		case "replacing":
			setup, key := s.Begin(User, enrollment.BeginOptions{Replace: s.SecondID, Proof: enrollment.ByReceipt(s.Receipt)})
			s.Waits, s.Token = key, setup.Token
		case "locked":
			s.lock()
		case "disabled":
			s.Must(s.Guard.Disable(t.Context(), User, enrollment.ByReceipt(s.Receipt)))
		default:
			s.grow()
		}
	}
	s.never = proving.WrongCode(s.Now(), s.App, s.Second, s.Waits)
	return s
}

// On returns the same state over another store, which has to be empty.
func (s *State) On(t *testing.T, open proving.Open) *State {
	t.Helper()
	to := *s
	to.t = t
	to.Kit = proving.Over(t, open(t), func(c *enrollment.Config) {
		now, logger, observe := c.Now, c.Logger, c.Observe
		*c = s.Config
		c.Now, c.Logger, c.Observe, c.Sender = now, logger, observe, sender{&to}
	})
	to.Keys.Ring = s.Keys.Ring
	to.Pass(s.Now().Sub(to.Now()))
	for _, user := range []string{User, Other} {
		rec, err := s.Store.Straight.Load(t.Context(), user)
		if err != nil {
			continue // of that one there is nothing
		}
		to.Must(to.Store.Straight.Save(t.Context(), rec, 0))
	}
	return &to
}

// Must ends the test if there is an error.
func (s *State) Must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Right is a code of the app, and Next and Used are those of the steps beside
// it. In states in which an app has been used, Used was the last one.
func (s *State) Right() string { return s.Code(s.App) }

// Next is the next code of the app.
func (s *State) Next() string { return s.Code(s.App, 1) }

// Used is the code of the app before this one.
func (s *State) Used() string { return s.Code(s.App, -1) }

// Wrong is a code that no app of the account, and none that waits, shows.
func (s *State) Wrong() string {
	if s.never != "" {
		return s.never
	}
	return proving.WrongCode(s.Now(), s.App, s.Second, s.Waits)
}

// Unknown is a recovery code of the account's scheme that it does not have.
func (s *State) Unknown() string {
	if s.Config.RecoveryScheme == recovery.Argon2id {
		return strings.Repeat("7", 16)
	}
	return strings.Repeat("7", 26)
}

// WrongMessage is a code that was not sent.
func (s *State) WrongMessage() string {
	if s.Message == "000000" {
		return "111111"
	}
	return "000000"
}

// UnknownTicket has the form of a ticket, and is nobody's.
var UnknownTicket = strings.Repeat("7", 16)

// Enrolled reports whether sign-in asks for a code in this state.
func (s *State) Enrolled() bool {
	return !slices.Contains([]string{
		"none", "none, codes at setup", "pending", "pending, codes shown", "alone", "disabled", "exempt", "ticketed",
	}, s.Name)
}

// keep remembers the record as an earlier one.
func (s *State) keep() { s.Older = s.Record(User) }

// stage begins a setup, and remembers it and the one before.
func (s *State) stage(p enrollment.Proof) {
	s.t.Helper()
	setup, key := s.Begin(User, enrollment.BeginOptions{Proof: p})
	s.OldToken, s.Waits, s.Token = s.Token, key, setup.Token
}

// Hardware is the key of a hardware token that the user was given.
func (s *State) Hardware() totp.Key { return proving.TheirKey(s.t, "token", totp.Params{}) }

// stageToken begins the setup of that token.
func (s *State) stageToken() {
	s.t.Helper()
	setup, key := s.Begin(User, enrollment.BeginOptions{HardwareToken: s.Hardware(), Proof: enrollment.ByReceipt(s.Receipt)})
	s.Waits, s.Token = key, setup.Token
}

// enroll confirms two authenticators, spends a recovery code and answers a
// challenge.
func (s *State) enroll() {
	s.t.Helper()
	confirm := func(p enrollment.Proof) (totp.Key, enrollment.Confirmed) {
		setup, key := s.Begin(User, enrollment.BeginOptions{Proof: p})
		done, err := s.Guard.Confirm(s.t.Context(), User, setup.Token, s.Code(key))
		s.Must(err)
		return key, done
	}
	var done enrollment.Confirmed
	s.App, done = confirm(enrollment.Proof{})
	s.Codes = done.Codes.Reveal()
	s.Pass(time.Minute)
	s.Second, done = confirm(enrollment.ByCode(s.Right()))
	s.SecondID = done.Success.Authenticator
	_, err := s.Guard.Verify(s.t.Context(), User, "x", s.Codes[0])
	s.Must(err)
	s.Pass(time.Minute)
	s.keep()
	s.answer()
}

// answer answers a challenge, and remembers the receipt and another challenge
// that are good now.
func (s *State) answer() {
	s.t.Helper()
	s.Spent = s.Kit.Challenge(User)
	ok, err := s.Answer(s.Spent, s.Right())
	s.Must(err)
	s.Receipt = ok.Receipt
	s.Pass(30 * time.Second)
	s.Challenge = s.Kit.Challenge(User)
}

// lock types five wrong codes.
func (s *State) lock() {
	s.t.Helper()
	for range 5 {
		_, err := s.Guard.Verify(s.t.Context(), User, "x", proving.WrongCode(s.Now(), s.App, s.Second))
		proving.Want(s.t, err, enrollment.ReasonWrongCode)
	}
}
