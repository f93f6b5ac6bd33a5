package races_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"golang.org/x/crypto/bcrypt"
)

// A crowd is a Guard with a single slot, and three users: alice and bob, who
// have recovery codes that are derived slowly, and dave, whose codes of another
// system are compared in a slot until the test ends it.
type crowd struct {
	*proving.Kit
	alice, bob, dave *proving.Person
}

func slowCodes(c *enrollment.Config) {
	c.RecoveryScheme, c.RecoveryCodes = recovery.Argon2id, recovery.MinCount
}

// newCrowd returns what leads a crowd into a bubble, as often as it is called:
// making the codes takes a while.
func newCrowd(t *testing.T) (bubble func(t *testing.T, f func(t *testing.T, c *crowd))) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("Argon2id and bcrypt are refused")
	}
	from := proving.New(t, slowCodes)
	alice, bob := from.Enroll("alice"), from.Enroll("bob")
	dave := from.TakeOver("dave", proving.Bcrypted(t, bcrypt.MinCost, "dave's code")...)
	return func(t *testing.T, f func(t *testing.T, c *crowd)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			// As many slots as processors. Nothing may run beside the test.
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			c := &crowd{Kit: proving.New(t, slowCodes)}
			c.Keys.Ring = from.Keys.Ring
			c.Pass(from.Now().Sub(c.Now()))
			for to, p := range map[**proving.Person]*proving.Person{&c.alice: alice, &c.bob: bob, &c.dave: dave} {
				if err := c.Store.Save(t.Context(), from.Record(p.ID), 0); err != nil {
					t.Fatal(err)
				}
				moved := *p
				moved.Kit = c.Kit
				*to = &moved
			}
			f(t, c)
		})
	}
}

// occupy takes the only slot, until release is called.
func (c *crowd) occupy(t *testing.T) (release func()) {
	t.Helper()
	entered, over, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	c.Keys.Bcrypt = func() { close(entered); <-over }
	go func() {
		_, err := c.Guard.Verify(context.Background(), "dave", "x", "dave's code")
		done <- err
	}()
	<-entered
	return func() {
		close(over)
		if err := <-done; err != nil && !errors.Is(err, enrollment.ErrBusy) {
			t.Error(err)
		}
	}
}

// slowly are operations of alice that take a slot.
var slowly = map[string]func(ctx context.Context, c *crowd) (call func() error){
	"Confirm": func(ctx context.Context, c *crowd) func() error {
		if err := c.Guard.Disable(ctx, "alice", enrollment.ByCode(c.alice.Code())); err != nil {
			return func() error { return err }
		}
		setup, app := c.Begin("alice", enrollment.BeginOptions{})
		code := c.Code(app)
		return func() error {
			done, err := c.Guard.Confirm(ctx, "alice", setup.Token, code)
			if err == nil && done.Codes.Len() == 0 {
				err = errors.New("no codes were made")
			}
			return err
		}
	},
	"RenewCodes": func(ctx context.Context, c *crowd) func() error {
		code := c.alice.Code()
		return func() error {
			_, err := c.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(code))
			return err
		}
	},
	"RenewCodes by a receipt": func(ctx context.Context, c *crowd) func() error {
		receipt := c.alice.Receipt()
		c.Pass(enrollment.ReceiptTTL - time.Minute)
		return func() error {
			_, err := c.Guard.RenewCodes(ctx, "alice", enrollment.ByReceipt(receipt))
			return err
		}
	},
	"Answer": func(ctx context.Context, c *crowd) func() error {
		challenge := c.alice.Challenge()
		return func() error {
			_, err := c.Guard.Answer(ctx, enrollment.PurposeSignIn, challenge, c.alice.Codes[0])
			return err
		}
	},
	"Disable": func(ctx context.Context, c *crowd) func() error {
		return func() error { return c.Guard.Disable(ctx, "alice", enrollment.ByCode(c.alice.Codes[0])) }
	},
}

// waits lets an operation of alice wait for the slot, for that long.
func (c *crowd) waits(t *testing.T, call func() error, wait time.Duration) error {
	t.Helper()
	release := c.occupy(t)
	c.Store.Reset()
	done := make(chan error, 1)
	go func() { done <- call() }()
	synctest.Wait()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	c.Pass(wait)
	release()
	return <-done
}

// TestCase79_QueueAtTheGate: a code that was right when it was typed is right
// after the wait for a slot, and so is a receipt. Five minutes are the most.
func TestCase79_QueueAtTheGate(t *testing.T) {
	bubble := newCrowd(t)
	for name, prepare := range slowly {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *crowd) {
				if err := c.waits(t, prepare(t.Context(), c), 5*time.Minute-time.Second); err != nil {
					t.Error(err)
				}
			})
			bubble(t, func(t *testing.T, c *crowd) {
				call := prepare(t.Context(), c)
				c.Unchanged("alice", func() {
					if err := c.waits(t, call, 5*time.Minute+time.Second); !errors.Is(err, enrollment.ErrBusy) {
						t.Errorf("after more than five minutes: %v", err)
					}
				})
			})
		})
	}
}

// A caller that has waited looks at the account again. No other does.
func TestCodeWaitsForASlot(t *testing.T) {
	bubble := newCrowd(t)
	for name, prepare := range slowly {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *crowd) {
				err := c.waits(t, prepare(t.Context(), c), time.Second)
				if loads := c.Store.Calls(proving.Load); err != nil || loads != 2 {
					t.Errorf("%d loads of a call that waited, want 2; %v", loads, err)
				}
			})
			bubble(t, func(t *testing.T, c *crowd) {
				call := prepare(t.Context(), c)
				c.Store.Reset()
				err := call()
				if loads := c.Store.Calls(proving.Load); err != nil || loads != 1 {
					t.Errorf("%d loads of a call that did not wait, want 1; %v", loads, err)
				}
			})
		})
	}
}

// Nobody waits for a slot, or behind another call of the account, for longer than
// what was typed is good for: what came of it would be thrown away.
func TestWaitingEnds(t *testing.T) {
	bubble := newCrowd(t)
	for name, prepare := range slowly {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *crowd) {
				call := prepare(context.Background(), c)
				release := c.occupy(t)
				done := make(chan error, 2)
				c.Unchanged("alice", func() {
					for range 2 {
						go func() { done <- call() }()
						synctest.Wait()
					}
					time.Sleep(5*time.Minute + time.Second) // of the bubble
					synctest.Wait()
					if len(done) != 2 {
						t.Errorf("after five minutes, %d calls still wait", 2-len(done))
					}
				})
				release()
				for range 2 {
					if err := <-done; !errors.Is(err, enrollment.ErrBusy) || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("after five minutes: %v", err)
					}
				}
			})
		})
	}
}

// What is held against a limit is not what was typed: a lock that has closed
// meanwhile is seen, and nothing is derived.
func TestLockClosesInTheQueue(t *testing.T) {
	newCrowd(t)(t, func(t *testing.T, c *crowd) {
		release := c.occupy(t)
		done := make(chan error, 1)
		go func() {
			_, err := c.Guard.Verify(t.Context(), "alice", "x", c.alice.Codes[0])
			done <- err
		}()
		synctest.Wait()
		other := c.Node() // with slots of its own
		for range 5 {
			_, err := other.Verify(t.Context(), "alice", "x", c.bob.Codes[0])
			proving.Want(t, err, enrollment.ReasonWrongCode)
		}
		release()
		proving.Want(t, <-done, enrollment.ReasonLocked)
		if left := c.Status("alice").CodesLeft; left != recovery.MinCount {
			t.Errorf("%d codes are left", left)
		}
	})
}

// A slot stands for the memory and the processor of a derivation. While an edit
// waits for the store it holds none.
func TestSlotsAreForDerivations(t *testing.T) {
	bubble := newCrowd(t)
	for name, prepare := range slowly {
		t.Run(name, func(t *testing.T) {
			for at := 1; ; at++ {
				stalled := false
				bubble(t, func(t *testing.T, c *crowd) {
					call := prepare(context.Background(), c)
					calls, entered, over := 0, make(chan struct{}), make(chan struct{})
					stall := func(_ context.Context, x *proving.Call) {
						if x.User != "alice" {
							return
						}
						if calls++; calls == at {
							close(entered)
							<-over
						}
					}
					c.Store.Before(proving.Load, stall)
					c.Store.Before(proving.Save, stall)
					done := make(chan error, 1)
					go func() { done <- call() }()
					select {
					case <-entered:
						stalled = true
					case err := <-done:
						if err != nil {
							t.Errorf("without a stall: %v", err)
						}
						return
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Second) // of the bubble
					defer cancel()
					if _, err := c.Guard.Verify(ctx, "bob", "x", c.bob.Codes[at-1]); err != nil {
						t.Errorf("bob had to wait for call %d of the store about alice: %v", at, err)
					}
					close(over)
					if err := <-done; err != nil {
						t.Errorf("alice, after call %d was late: %v", at, err)
					}
				})
				if !stalled {
					return
				}
			}
		})
	}
}
