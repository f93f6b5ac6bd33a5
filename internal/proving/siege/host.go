package siege

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Request asks a node for one operation.
type Request struct {
	Do    Deed
	User  string
	Code  string
	Token string    // of a setup or a renewal
	At    time.Time // what the clock of the node shows
}

// A Reply is what has come of it.
type Reply struct {
	Reason enrollment.Reason
	URI    string
	Token  string
	Codes  []string
	State  store.State `json:",omitzero"`

	faults int // how many requests had no answer before this one, or with it
}

// A Deed is what a node is asked for, or what a siege counts.
type Deed string

const (
	verify       Deed = "Verify"
	signIn       Deed = "SignIn and Answer"
	begin        Deed = "Begin"
	confirm      Deed = "Confirm"
	setupCodes   Deed = "SetupCodes"
	prepare      Deed = "PrepareRenewal"
	renew        Deed = "RenewCodesOnce"
	renewalCodes Deed = "RenewalCodes"
	disable      Deed = "Disable"
	status       Deed = "Status"
	sweep        Deed = "Sweep"
)

// A Node carries out a request. The error says that there is no answer.
type Node func(ctx context.Context, r Request) (Reply, error)

// Nodes are those of a siege.
type Nodes [3]Node

// A Starter starts the nodes of a siege. They tell it what is in Ears.
type Starter func(t *testing.T, e Ears) Nodes

// Ears are what nodes have in common: the keys, and whom they tell of what they do.
type Ears struct {
	Ring   string                 // as keyring.Parse reads it
	Called func()                 // before each Load and Save of the Guard
	Loaded func(Version)          // what a Load of the Guard has returned
	Saved  func(Version)          // what a Save of the Guard has acknowledged, before anything else is done
	Told   func(enrollment.Event) // of each event, before it is taken
}

// A Host is what an application makes of the library: a Guard over a store.
type Host struct {
	guard     *enrollment.Guard
	directory *enrollment.Directory
	now       atomic.Pointer[time.Time]
}

// NewHost returns a host.
func NewHost(s proving.Full, e Ears) (*Host, error) {
	ring, err := keyring.Parse(e.Ring)
	if err != nil {
		return nil, err
	}
	h := new(Host)
	h.guard, err = enrollment.New(heard{s, e}, ring, enrollment.Config{
		Issuer: "Acme", Now: func() time.Time { return *h.now.Load() }, RecoveryScheme: recovery.Fast, ReauthDisables: true,
		Notify: func(_ context.Context, event enrollment.Event) error { e.Told(event); return nil },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return nil, err
	}
	h.directory, err = enrollment.NewDirectory(h.guard, s)
	return h, err
}

// Do is a [Node].
func (h *Host) Do(ctx context.Context, r Request) (Reply, error) {
	h.now.Store(&r.At)
	answer, err := h.do(ctx, r)
	answer.Reason = proving.ReasonOf(err)
	return answer, nil
}

func (h *Host) do(ctx context.Context, r Request) (a Reply, err error) {
	setup, renewal := enrollment.SetupTokenOf(r.Token), enrollment.RenewalTokenOf(r.Token)
	byPassword := enrollment.ByReauth("password")
	var codes recovery.Codes
	switch g := h.guard; r.Do {
	case verify:
		_, err = g.Verify(ctx, r.User, "siege", r.Code)
	case signIn:
		var d enrollment.Decision
		if d, err = g.SignIn(ctx, r.User, enrollment.SignInOptions{}); err == nil {
			_, err = g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, r.Code)
		}
	case begin:
		var s enrollment.Setup
		s, err = g.Begin(ctx, r.User, enrollment.BeginOptions{Account: r.User, Proof: byPassword})
		a.URI, a.Token = s.URI(), s.Token.Reveal()
	case confirm:
		var c enrollment.Confirmed
		c, err = g.Confirm(ctx, r.User, setup, r.Code)
		codes = c.Codes
	case setupCodes:
		codes, err = g.SetupCodes(ctx, r.User, setup)
	case prepare:
		var token enrollment.RenewalToken
		token, err = g.PrepareRenewal(ctx, r.User)
		a.Token = token.Reveal()
	case renew:
		var c enrollment.RenewedCodes
		c, err = g.RenewCodesOnce(ctx, r.User, renewal, enrollment.ByCode(r.Code))
		codes = c.Codes
	case renewalCodes:
		codes, err = g.RenewalCodes(ctx, r.User, renewal)
	case disable:
		err = g.Disable(ctx, r.User, byPassword)
	case status:
		var s enrollment.Status
		s, err = g.Status(ctx, r.User)
		a.State = s.State
	case sweep:
		_, err = h.directory.Sweep(ctx)
	default:
		err = fmt.Errorf("siege: a node can't %s", r.Do)
	}
	if err == nil {
		a.Codes = codes.Reveal()
	}
	return a, err
}

// A heard store reports each call, and each version that it has loaded or saved.
type heard struct {
	proving.Full
	ears Ears
}

func (s heard) Load(ctx context.Context, id string) (store.Record, error) {
	s.ears.Called()
	r, err := s.Full.Load(ctx, id)
	if err == nil {
		s.ears.Loaded(Version{id, r.Version})
	}
	return r, err
}

func (s heard) Save(ctx context.Context, r store.Record, prev int64) error {
	s.ears.Called()
	err := s.Full.Save(ctx, r, prev)
	if err == nil {
		s.ears.Saved(Version{r.UserID, r.Version})
	}
	return err
}
