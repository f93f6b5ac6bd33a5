package enrollment_test

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"golang.org/x/crypto/bcrypt"
)

// The states of an account that uses what few accounts use.

// faultExtras are what operations on those states could be called with.
type faultExtras struct {
	device, deviceID string // token and id of a trusted device
	sent             string // the challenge of a message
	binding          string // stands for an address that waits
	message          string // the code in the last message
	ticket           string
	system           []string // recovery codes of another system; the first one is spent
}

// faultAdjust is what the configuration of a state differs in.
var faultAdjust = map[string]func(c *enrollment.Config){
	"none, codes at setup": func(c *enrollment.Config) { c.CodesAtSetup = true },
	"pending, codes shown": func(c *enrollment.Config) { c.CodesAtSetup = true },
	"kept":                 func(c *enrollment.Config) { c.KeepCodes = true },
	"replenished":          func(c *enrollment.Config) { c.KeepCodes, c.ReplenishCodes = true, true },
	"asking":               func(c *enrollment.Config) { c.Notify = faultTaken },
	"asked":                func(c *enrollment.Config) { c.Notify = faultTaken },
	"matured":              func(c *enrollment.Config) { c.Notify = faultTaken },
}

// enrolled reports whether sign-in asks for a code in this state.
func (s *faultState) enrolled() bool {
	return !slices.Contains([]string{
		"none", "none, codes at setup", "pending", "pending, codes shown", "alone", "disabled", "exempt", "ticketed",
	}, s.name)
}

// wrongMessage is a code that was not sent.
func (s *faultState) wrongMessage() string {
	if s.message == "000000" {
		return "111111"
	}
	return "000000"
}

// A faultBox is where the messages of one call arrive. The context of the call
// leads there, so that those of somebody else do not.
type faultBox struct{ sent []enrollment.Message }

type faultBoxKey struct{}

func (b *faultBox) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, faultBoxKey{}, b)
}

// faultBoxOf returns the box that a context leads to, and otherwise a new one
// and a context that leads there.
func faultBoxOf(ctx context.Context) (*faultBox, context.Context) {
	if b, ok := ctx.Value(faultBoxKey{}).(*faultBox); ok {
		return b, ctx
	}
	b := new(faultBox)
	return b, b.context(ctx)
}

// last is the code of the last message; "" if there is none.
func (b *faultBox) last() string {
	if len(b.sent) == 0 {
		return ""
	}
	return b.sent[len(b.sent)-1].Code()
}

type faultSender struct{}

func (faultSender) Send(ctx context.Context, m enrollment.Message) error {
	if b, ok := ctx.Value(faultBoxKey{}).(*faultBox); ok {
		b.sent = append(b.sent, m)
	}
	return nil
}

func faultMessages(s *faultState, g *enrollment.Guard) *enrollment.Messages {
	m, err := enrollment.NewMessages(g, faultSender{}, enrollment.MessagesConfig{Alone: !s.enrolled()})
	if err != nil {
		panic(err)
	}
	return m
}

func faultResets(g *enrollment.Guard) *enrollment.ResetRequests {
	r, err := enrollment.NewResets(g, enrollment.ResetsConfig{})
	if err != nil {
		panic(err)
	}
	return r
}

// grow leads a confirmed account further.
func (s *faultState) grow(t *testing.T, mem *memory.Store, g *enrollment.Guard) {
	t.Helper()
	box, ctx := faultBoxOf(t.Context())
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keep := func() { s.older = faultMust[store.Record](t)(mem.Load(ctx, faultUser)) }
	admin, messages := g.Admin("root", "a test"), faultMessages(s, g)
	bind := func() string {
		to := enrollment.BindOptions{Channel: "sms", To: "+43 1 000 42", Proof: enrollment.ByReceipt(s.receipt)}
		b := faultMust[enrollment.Binding](t)(messages.Bind(ctx, faultUser, to))
		return b.Token
	}
	ask := func() {
		faultMust[enrollment.ResetRequest](t)(faultResets(g).Open(ctx, s.challenge))
		keep()
	}
	switch s.name {
	case "confirmed", "kept", "replenished", "asking":
	case "trusted":
		for range 2 {
			keep()
			d := faultMust[enrollment.TrustedDevice](t)(g.Devices().Trust(ctx, faultUser, s.receipt, "browser"))
			if s.device == "" {
				s.device, s.deviceID = d.Token, d.Device.ID
			}
		}
	case "bypassed":
		for i := range 2 {
			check(admin.Bypass(ctx, faultUser, s.now.Add(time.Duration(i+1)*time.Hour)))
			if i == 0 {
				keep()
			}
		}
	case "exempt":
		check(g.Disable(ctx, faultUser, enrollment.ByReceipt(s.receipt)))
		check(admin.Bypass(ctx, faultUser, s.now.Add(time.Hour)))
		keep()
	case "locked out":
		for range 5 {
			_, err := g.Verify(ctx, faultUser, "x", modelWrong(s.now, s.first, s.second))
			if modelReason(err) != enrollment.ReasonWrongCode {
				t.Fatal(err)
			}
		}
		keep()
	case "binding":
		keep()
		s.binding, s.message = bind(), box.last()
	case "addressed", "sent":
		binding := bind()
		faultMust[enrollment.Confirmed](t)(messages.Confirm(ctx, faultUser, binding, box.last()))
		s.refresh(t, g)
		keep()
		if s.name == "sent" {
			d := faultMust[enrollment.Delivery](t)(messages.Send(ctx, enrollment.PurposeSignIn, s.challenge))
			s.sent, s.message = d.Challenge, box.last()
		}
	case "asked":
		ask()
	case "matured":
		ask()
		s.now = s.now.Add(enrollment.DefaultResetWait)
		s.challenge = faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.SignInOptions{})).Challenge
	case "ticketed":
		ticket, err := admin.Reset(ctx, faultUser, enrollment.ResetOptions{Ticket: true})
		check(err)
		s.ticket = ticket.Reveal()
		keep()
	default:
		t.Fatalf("no such state: %s", s.name)
	}
}

// refresh answers once more, for a receipt and a challenge that are good now.
func (s *faultState) refresh(t *testing.T, g *enrollment.Guard) {
	t.Helper()
	ctx := t.Context()
	s.now = s.now.Add(time.Minute)
	d := faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.SignInOptions{}))
	s.spent = d.Challenge
	s.receipt = faultMust[enrollment.Success](t)(g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, s.code())).Receipt
	s.now = s.now.Add(30 * time.Second)
	s.challenge = faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.SignInOptions{})).Challenge
}

// enroll takes an account over from another system.
func (s *faultState) enroll(t *testing.T, mem *memory.Store, g *enrollment.Guard) {
	t.Helper()
	ctx := t.Context()
	s.system = []string{"aaaa-bbbb", "cccc-dddd", "eeee-ffff"}
	if err := g.Admin("root", "moving in").Import(ctx, faultUser, s.imported(s.name == "imported slowly")); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Minute)
	faultMust[enrollment.Success](t)(g.Verify(ctx, faultUser, "x", s.system[0]))
	s.older = faultMust[store.Record](t)(mem.Load(ctx, faultUser))
	s.refresh(t, g)
}

func (s *faultState) imported(slowly bool) enrollment.Import {
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: s.first}}}
	for _, code := range s.system {
		hash := sha256.Sum256([]byte(code))
		im.RecoveryHashes = append(im.RecoveryHashes, hash[:])
	}
	if slowly {
		im.RecoveryHashes[len(s.system)-1] = faultBcrypt(s.system[len(s.system)-1])
	}
	return im
}

// faultBcrypt hashes a code once for all.
func faultBcrypt(code string) []byte {
	hash, ok := faultHashes.Load(code)
	if !ok {
		fresh, err := bcrypt.GenerateFromPassword([]byte(code), bcrypt.MinCost)
		if err != nil {
			panic(err)
		}
		hash, _ = faultHashes.LoadOrStore(code, fresh)
	}
	return hash.([]byte)
}

var faultHashes sync.Map

// bindAlone sends a code to an address of an account that has nothing else.
func (s *faultState) bindAlone(t *testing.T, g *enrollment.Guard) {
	t.Helper()
	box, ctx := faultBoxOf(t.Context())
	b := faultMust[enrollment.Binding](t)(faultMessages(s, g).Bind(ctx, faultUser, enrollment.BindOptions{Channel: "email", To: "a@example.com"}))
	s.binding, s.message = b.Token, box.last()
}

// faultTicket has the form of a ticket, and is nobody's.
var faultTicket = strings.Repeat("7", 16)
