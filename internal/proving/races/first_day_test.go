package races_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"golang.org/x/crypto/bcrypt"
)

// A newcomer has scanned the QR code and confirms with the code that the app shows.
type newcomer struct {
	id    string
	setup enrollment.Setup
	code  string
	done  chan error
}

func (n *newcomer) confirm(ctx context.Context, c *crowd) {
	n.done = make(chan error, 1)
	go func() {
		got, err := c.Guard.Confirm(ctx, n.id, n.setup.Token, n.code)
		if err == nil && got.Codes.Len() != recovery.MinCount {
			err = fmt.Errorf("%d recovery codes were made", got.Codes.Len())
		}
		n.done <- err
	}()
	synctest.Wait()
}

// From one day on everybody has to have a second factor, and 500 people confirm at the
// same moment. Two get their recovery codes at once, and then it takes very long. The
// others keep their place for five minutes: that costs neither memory nor their code.
// Then they are told that the Guard is busy, nothing has been counted, and the next
// code confirms.
func TestFirstDay(t *testing.T) {
	newCrowd(t)(t, func(t *testing.T, c *crowd) {
		ctx := t.Context()
		const people, first = 500, 2
		erin := c.TakeOver("erin", proving.Bcrypted(t, bcrypt.MinCost, "erin's code")...)
		crowd, ids := make([]*newcomer, people), proving.Users(people)
		for i, id := range ids {
			setup, app := c.Begin(id, enrollment.BeginOptions{})
			crowd[i] = &newcomer{id: id, setup: setup, code: c.Code(app)}
		}
		later := func(d time.Duration) {
			c.Pass(d)
			time.Sleep(d) // of the bubble
			synctest.Wait()
		}

		// Others take as long as they like over codes of another system.
		var over [2]chan struct{}
		for i := range over {
			over[i] = make(chan struct{})
		}
		calls := 0
		c.Keys.Bcrypt = func() {
			if calls++; calls <= len(over) {
				<-over[calls-1]
			}
		}
		others := make(chan error, len(over))
		other := func(p *proving.Person) {
			go func() {
				_, err := c.Guard.Verify(context.Background(), p.ID, "x", p.ID+"'s code")
				others <- err
			}()
			synctest.Wait()
		}

		idle := inUse()
		other(c.dave)
		for _, n := range crowd[:first] {
			n.confirm(ctx, c)
		}
		other(erin)
		for _, n := range crowd[first : people-1] {
			n.confirm(ctx, c)
		}
		if used := inUse() - idle; used > 19<<20 {
			t.Errorf("people who wait take %d bytes, which is more than a derivation does", used)
		}
		c.Untouched(func() {
			later(4 * time.Minute)
			close(over[0])
			for _, n := range crowd[:first] {
				if err := <-n.done; err != nil {
					t.Errorf("a code that was right four minutes ago: %v", err)
				}
			}
			late := crowd[people-1]
			late.confirm(ctx, c)
			proving.Want(t, <-late.done, enrollment.ReasonClockSkew)
			if ok, err := c.alice.Answer(c.alice.Code()); err != nil || ok.Factor != enrollment.FactorTOTP {
				t.Errorf("somebody else signs in by an app code: %v", err)
			}
			later(time.Minute + time.Second)
			for _, n := range crowd[first : people-1] {
				select {
				case err := <-n.done:
					if !errors.Is(err, enrollment.ErrBusy) {
						t.Fatalf("%s, after five minutes: %v", n.id, err)
					}
				default:
					t.Fatalf("%s still waits after five minutes", n.id)
				}
			}
		}, ids[first:people-1]...)

		close(over[1])
		for range over {
			if err := <-others; err != nil && !errors.Is(err, enrollment.ErrBusy) {
				t.Error(err)
			}
		}
		n := crowd[people-2]
		n.code = c.Code(proving.KeyOf(t, n.setup))
		n.confirm(ctx, c)
		if err := <-n.done; err != nil {
			t.Errorf("the next code: %v", err)
		}
	})
}

// inUse returns the bytes of the heap that are in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
