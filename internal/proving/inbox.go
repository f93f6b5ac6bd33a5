package proving

import (
	"context"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// An Inbox is a Sender whose messages arrive at once. It is safe for concurrent
// use.
type Inbox struct {
	// Fail, unless it is nil, is asked first. An error replaces the
	// message. Set it while nothing is sent.
	Fail func(ctx context.Context) error

	mu  sync.Mutex
	got []enrollment.Message
}

// Send takes a message.
func (b *Inbox) Send(ctx context.Context, m enrollment.Message) error {
	if b.Fail != nil {
		if err := b.Fail(ctx); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m)
	return nil
}

// Len returns how many messages have arrived.
func (b *Inbox) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

// Last returns the latest message; the zero Message if there is none.
func (b *Inbox) Last() enrollment.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) == 0 {
		return enrollment.Message{}
	}
	return b.got[len(b.got)-1]
}

// Code returns the code of the latest message; "" if there is none.
func (b *Inbox) Code() string { return b.Last().Code() }

// Wrong returns a code that is not the latest one.
func (b *Inbox) Wrong() string {
	if b.Code() == "000000" {
		return "000001"
	}
	return "000000"
}

// Phone is where a [Post] sends to.
const Phone = "+41441234567"

// A Post is Messages of a Kit's Guard, which arrive in its Inbox.
type Post struct {
	enrollment.Messages
	Inbox *Inbox

	kit *Kit
}

// Post returns the Messages of Guard.
func (k *Kit) Post() *Post { return &Post{Messages: k.Guard.Messages(), Inbox: k.Inbox, kit: k} }

// Begin asks for a code to the [Phone].
func (p *Post) Begin(user string, proof enrollment.Proof) (enrollment.Binding, error) {
	return p.Bind(p.kit.t.Context(), user, enrollment.BindOptions{Channel: "sms", To: Phone, Proof: proof})
}

// Bound binds the [Phone], and lets the messages of the day be forgotten.
func (p *Post) Bound(user string, proof enrollment.Proof) enrollment.Confirmed {
	p.kit.t.Helper()
	b, err := p.Begin(user, proof)
	p.kit.Must(err)
	done, err := p.Confirm(p.kit.t.Context(), user, b.Token, p.Inbox.Code())
	p.kit.Must(err)
	p.kit.Pass(24 * time.Hour)
	return done
}

// Deliver has a code sent for the challenge of a sign-in.
func (p *Post) Deliver(challenge enrollment.Challenge) enrollment.Delivery {
	p.kit.t.Helper()
	d, err := p.Send(p.kit.t.Context(), enrollment.PurposeSignIn, challenge)
	p.kit.Must(err)
	return d
}
