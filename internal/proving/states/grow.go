package states

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"golang.org/x/crypto/bcrypt"
)

// The states of an account that uses what few accounts use.

// Taken is a Notify that takes everything.
func Taken(context.Context, enrollment.Event) error { return nil }

// Elsewhere is where somebody signs in from who has the password alone.
const Elsewhere = "192.0.2.7"

// watch lets the owner hear of challenges without an answer.
func watch(c *enrollment.Config) { c.AlertUnanswered, c.Notify = true, Taken }

// A Box is where the messages of one call arrive. The context of the call leads
// there, so that those of somebody else do not.
type Box struct{ Sent []enrollment.Message }

type boxKey struct{}

// Context returns a context that leads to the box.
func (b *Box) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, boxKey{}, b)
}

// BoxOf returns the box that a context leads to, and otherwise a new one and a
// context that leads there.
func BoxOf(ctx context.Context) (*Box, context.Context) {
	if b, ok := ctx.Value(boxKey{}).(*Box); ok {
		return b, ctx
	}
	b := new(Box)
	return b, b.Context(ctx)
}

// Last is the code of the last message; "" if there is none.
func (b *Box) Last() string {
	if len(b.Sent) == 0 {
		return ""
	}
	return b.Sent[len(b.Sent)-1].Code()
}

// A sender puts messages into the box of a call, and remembers the code where
// there is none.
type sender struct{ s *State }

func (x sender) Send(ctx context.Context, m enrollment.Message) error {
	if b, ok := ctx.Value(boxKey{}).(*Box); ok {
		b.Sent = append(b.Sent, m)
	} else {
		x.s.Message = m.Code()
	}
	return nil
}

// grow leads a confirmed account further.
func (s *State) grow() {
	s.t.Helper()
	box, ctx := BoxOf(s.t.Context())
	admin, messages := s.Guard.Admin("root", "a test"), s.Guard.Messages()
	bind := func() enrollment.SetupToken {
		to := enrollment.BindOptions{Channel: "sms", To: "+43 1 000 42", Proof: enrollment.ByReceipt(s.Receipt)}
		b, err := messages.Bind(ctx, User, to)
		s.Must(err)
		return b.Token
	}
	ask := func() {
		_, err := s.Guard.ResetRequests().Open(ctx, s.Challenge)
		s.Must(err)
		s.keep()
	}
	switch s.Name {
	case "confirmed", "kept", "replenished", "asking":
	case "trusted":
		for range 2 {
			s.keep()
			d, err := s.Guard.Devices().Trust(ctx, User, s.Receipt, "browser")
			s.Must(err)
			if s.Device.Token.IsZero() {
				s.Device = d
			}
		}
	case "token staged":
		s.stageToken()
	case "token":
		s.stageToken()
		done := s.Confirm(User, enrollment.Setup{Token: s.Token}, s.Waits)
		s.TokenID, s.Receipt, s.Challenge = done.Success.Authenticator, done.Success.Receipt, s.Kit.Challenge(User)
		s.keep()
	case "bypassed":
		for i := range 2 {
			s.Must(admin.Bypass(ctx, User, s.Now().Add(time.Duration(i+1)*time.Hour)))
			if i == 0 {
				s.keep()
			}
		}
	case "exempt":
		s.Must(s.Guard.Disable(ctx, User, enrollment.ByReceipt(s.Receipt)))
		s.Must(admin.Bypass(ctx, User, s.Now().Add(time.Hour)))
		s.keep()
	case "locked out":
		s.lock()
		s.keep()
	case "binding":
		s.keep()
		s.Binding, s.Message = bind(), box.Last()
	case "addressed", "sent":
		binding := bind()
		_, err := messages.Confirm(ctx, User, binding, box.Last())
		s.Must(err)
		s.Pass(time.Minute)
		s.answer()
		s.keep()
		if s.Name == "sent" {
			d, err := messages.Send(ctx, enrollment.PurposeSignIn, s.Challenge)
			s.Must(err)
			s.Sent, s.Message = d.Challenge, box.Last()
		}
	case "guessed", "alarmed": // by somebody who has the password
		s.keep()
		_, err := s.Answer(s.Kit.Challenge(User), s.Unknown())
		proving.Want(s.t, err, enrollment.ReasonWrongCode)
		if s.Name == "alarmed" {
			s.Pass(10 * time.Minute)
			s.Challenge = s.Kit.Challenge(User)
		}
	case "watched":
		s.Configure(watch)
	case "unheard": // somebody has the password, and gave no code
		s.keep()
		_, err := s.Node(watch).SignIn(enrollment.WithOrigin(ctx, Elsewhere), User, enrollment.SignInOptions{})
		s.Must(err)
		s.Pass(10 * time.Minute)
		s.Challenge = s.Kit.Challenge(User)
		s.Configure(watch)
	case "asked":
		ask()
	case "busy": // all at once
		setup, key := s.Begin(User, enrollment.BeginOptions{HardwareToken: s.Hardware(), Replace: s.SecondID, Proof: enrollment.ByReceipt(s.Receipt)})
		done := s.Confirm(User, setup, key)
		s.Second, s.SecondID, s.TokenID = key, done.Success.Authenticator, done.Success.Authenticator
		s.Receipt = done.Success.Receipt
		_, err := messages.Confirm(ctx, User, bind(), box.Last())
		s.Must(err)
		s.Pass(time.Minute)
		s.answer()
		ask()
		s.Device, err = s.Guard.Devices().Trust(ctx, User, s.Receipt, "browser")
		s.Must(err)
		s.Renewal, err = s.Guard.PrepareRenewal(ctx, User)
		s.Must(err)
		s.Binding, s.Message = bind(), box.Last()
		s.stage(enrollment.ByReceipt(s.Receipt))
		s.Pass(time.Minute)
	case "matured":
		ask()
		s.Pass(3 * 24 * time.Hour)
		s.Challenge = s.Kit.Challenge(User)
	case "ticketed":
		ticket, err := admin.Reset(ctx, User, enrollment.ResetOptions{Ticket: true})
		s.Must(err)
		s.Ticket = ticket
		s.keep()
	default:
		s.t.Fatalf("no such state: %s", s.Name)
	}
}

// takeOver takes an account over from another system.
func (s *State) takeOver() {
	s.t.Helper()
	s.System = []string{"aaaa-bbbb", "cccc-dddd", "eeee-ffff"}
	s.Must(s.Guard.Admin("root", "moving in").Import(s.t.Context(), User, s.Imported(s.Name == "imported slowly")))
	s.Pass(time.Minute)
	_, err := s.Guard.Verify(s.t.Context(), User, "x", s.System[0])
	s.Must(err)
	s.keep()
	s.Pass(time.Minute)
	if s.Name == "outdated" || s.Name == "mending" {
		s.Challenge = s.Kit.Challenge(User) // an answer would be no sign-in
		return
	}
	s.answer()
}

// Imported is the account of another system, with App and System. Slowly says
// that the hash of the last code is one with bcrypt.
func (s *State) Imported(slowly bool) enrollment.Import {
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: s.App}}}
	for _, code := range s.System {
		hash := sha256.Sum256([]byte(code))
		im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf(hash[:]))
	}
	if slowly {
		im.RecoveryHashes[len(s.System)-1] = enrollment.RecoveryHashOf(slowHash(s.System[len(s.System)-1]))
	}
	return im
}

// slowHash hashes a code once for all.
func slowHash(code string) []byte {
	hash, ok := slowHashes.Load(code)
	if !ok {
		fresh, err := bcrypt.GenerateFromPassword([]byte(code), bcrypt.MinCost)
		if err != nil {
			panic(err)
		}
		hash, _ = slowHashes.LoadOrStore(code, fresh)
	}
	return hash.([]byte)
}

var slowHashes sync.Map

// bindAlone sends a code to an address of an account that has nothing else.
func (s *State) bindAlone() {
	s.t.Helper()
	box, ctx := BoxOf(s.t.Context())
	b, err := s.Guard.Messages().Bind(ctx, User, enrollment.BindOptions{Channel: "email", To: "a@example.com", Proof: enrollment.ByReauth("password")})
	s.Must(err)
	s.Binding, s.Message = b.Token, box.Last()
}
