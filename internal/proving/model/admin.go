package model

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Administration: the rules, and the operations of the driver.

// checkTicket says whether somebody without a second factor may set one up.
func (a *modelAccount) checkTicket(text string) *modelNo {
	switch {
	case a.enrolled() || a.ticket == "":
		return nil
	case text == "":
		return modelDeny(enrollment.ReasonTicketRequired)
	case strings.ToUpper(strings.ReplaceAll(text, "-", "")) != a.ticket:
		return modelDeny(enrollment.ReasonTicketInvalid)
	}
	return nil
}

// ticket returns what the user types where a ticket is asked for.
func (r *modelRun) ticket(u *modelUser) string {
	switch n := r.rng.IntN(12); {
	case n < 8 && u.account.ticket != "":
		if t := u.account.ticket; n < 6 {
			return t
		} else {
			return strings.ToLower(t[:4] + "-" + t[4:])
		}
	case n < 9:
		if t, ok := modelPick(r, r.tickets); ok {
			return t
		}
	case n < 10:
		return []string{"hello", r.symbols(16), r.symbols(26)}[r.rng.IntN(3)]
	}
	return ""
}

// A modelActor is in whose name an administrator acts, and why.
type modelActor struct{ actor, reason string }

// actor picks who acts, now and then the users themselves.
func (r *modelRun) actor(u *modelUser) modelActor {
	by := modelActor{[]string{"root", "bob", "alice", "ops@example.com"}[r.rng.IntN(4)], "asked by telephone"}
	if r.wordy {
		by.reason = strings.Repeat("y", 256)
		if r.chance(2) {
			by.actor = strings.Repeat("x", 255)
		}
	}
	if by.actor == u.name && !r.chance(4) {
		by.actor = "root"
	}
	return by
}

func (x modelActor) event(kind enrollment.EventKind) enrollment.Event {
	return enrollment.Event{Kind: kind, Actor: x.actor, Note: x.reason}
}

// administer carries out an operation of an administrator: nobody is one of
// themselves, whatever the account is like.
func (r *modelRun) administer(u *modelUser, what string, decide func(a *modelAccount, by modelActor, turn int) *modelNo,
	act func(ctx context.Context, x enrollment.Admin) error, fill func(a *modelAccount),
) *modelNo {
	by := r.actor(u)
	op, rest, _ := strings.Cut(what, " ")
	return r.do(u, fmt.Sprintf("%s by %.10s %s", op, by.actor, rest), func(a *modelAccount, turn int) *modelNo {
		switch {
		case by.actor == u.name:
			return modelForm(enrollment.ReasonOwnAccount)
		case op == "Import" && strings.HasSuffix(rest, "badly named"):
			return modelForm(enrollment.ReasonInvalidName)
		}
		return decide(a, by, turn)
	}, func(ctx context.Context) error { return act(ctx, r.guard.Admin(by.actor, by.reason)) }, fill)
}

func (r *modelRun) adminReset(u *modelUser) { r.adminResetWith(u, r.chance(3), r.chance(4)) }

// adminResetWith takes everything away, or approves the request to do so.
func (r *modelRun) adminResetWith(u *modelUser, ticket, approve bool) {
	what, do := "Reset", enrollment.Admin.Reset
	if approve {
		what, do = "ApproveReset", enrollment.Admin.ApproveReset
	}
	var got enrollment.Ticket
	no := r.administer(u, fmt.Sprintf("%s ticket=%t", what, ticket), func(a *modelAccount, by modelActor, turn int) *modelNo {
		switch {
		case approve && !a.reset.open:
			return modelDeny(enrollment.ReasonNoReset)
		case approve && r.now().Before(a.reset.matures):
			return &modelNo{reason: enrollment.ReasonResetWaiting, retry: a.reset.matures}
		case approve && a.waits(enrollment.EventResetRequested): // the owner has not heard of it
			r.tally["ApproveReset: not told"]++
			return modelDeny(enrollment.ReasonOwnerNotTold)
		case !a.enrolled() && !ticket && a.ticket == "": // nothing to hand out or to take back
			return modelDeny(enrollment.ReasonNotEnrolled)
		}
		a.clear(r.now(), turn)
		a.record(r.now(), by.event(enrollment.EventReset))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) (err error) {
		got, err = do(x, ctx, u.name, enrollment.ResetOptions{Ticket: ticket})
		return err
	}, func(a *modelAccount) {
		if ticket {
			a.ticket = strings.ReplaceAll(got.Reveal(), "-", "")
			r.tickets = append(r.tickets, a.ticket)
			u.secrets = append(u.secrets, a.ticket, got.Reveal())
		}
	})
	if got.IsZero() != (no != nil || !ticket) {
		r.fatalf("the ticket is zero: %t", got.IsZero())
	}
	if no == nil {
		u.grants++
	}
}

func (r *modelRun) refuseReset(u *modelUser) {
	r.administer(u, "RefuseReset", func(a *modelAccount, by modelActor, _ int) *modelNo {
		if !a.reset.open {
			return modelDeny(enrollment.ReasonNoReset)
		}
		a.reset.close()
		a.record(r.now(), by.event(enrollment.EventResetRefused))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) error { return x.RefuseReset(ctx, u.name) }, nil)
}

func (r *modelRun) unlock(u *modelUser) {
	short := false
	no := r.administer(u, "Unlock", func(a *modelAccount, by modelActor, _ int) *modelNo {
		short = a.short(r.now())
		switch {
		case short:
			a.forgive(r.now())
			a.recovery.forgive(1, r.now())
			a.record(r.now(), by.event(enrollment.EventUnlocked))
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		}
		return nil
	}, func(ctx context.Context, x enrollment.Admin) error { return x.Unlock(ctx, u.name) }, nil)
	if no == nil && short {
		u.grants++
	}
}

// locks says which factors are not evaluated.
func (a *modelAccount) locks(now time.Time) []enrollment.Lock {
	var locks []enrollment.Lock
	add := func(f enrollment.Factor, no *modelNo) {
		if no != nil {
			locks = append(locks, enrollment.Lock{Factor: f, Until: no.retry})
		}
	}
	if len(a.apps) > 0 {
		add(enrollment.FactorTOTP, a.totp.refuses(modelShort, now))
	}
	if a.enrolled() {
		add(enrollment.FactorRecovery, a.recovery.refuses(a.recoveryPolicy(), now))
	}
	// Without an address too: it holds back binding one.
	add(enrollment.FactorDelivered, a.sms.refuses(modelShort, now))
	return locks
}

// short says whether an administrator has something to unlock: a factor of which
// fewer than five wrong codes are evaluated before the next wait.
func (a *modelAccount) short(now time.Time) bool {
	return a.totp.short(modelShort, max(1, len(a.apps)), now) ||
		a.enrolled() && a.recovery.short(a.recoveryPolicy(), 1, now) || a.sms.short(modelShort, 1, now)
}

// recoveryPolicy is how recovery codes are held back: those of another system
// are not known to be long.
func (a *modelAccount) recoveryPolicy() modelPolicy {
	if len(a.imported) > 0 {
		return modelOthers
	}
	return modelLong
}

func (r *modelRun) erase(u *modelUser) {
	stored, told := u.account.stored, true
	no := r.administer(u, "Erase", func(a *modelAccount, by modelActor, _ int) *modelNo {
		if !stored {
			a.dirty = false
			return nil
		}
		if a.alert.wrong > 0 || len(a.silent) > 0 {
			a.raise(r.now())
		}
		for i := range a.queue { // also those that somebody is delivering
			a.queue[i].lease = r.now()
		}
		a.record(r.now(), by.event(enrollment.EventErased))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) error {
		err := x.Erase(ctx, u.name)
		if told = !errors.Is(err, enrollment.ErrUndelivered); told {
			return err
		}
		var denied *enrollment.Denied
		if errors.As(err, &denied) || !stored || !r.notifyFails {
			r.fatalf("Erase says %v; stored %t, Notify fails %t", err, stored, r.notifyFails)
		}
		r.tally["Erase: not told"]++
		r.failed = true
		return nil // what was decided stands
	}, func(a *modelAccount) {
		if a.erased = stored && told; a.erased && r.notifyFails {
			r.fatalf("erased, although Notify fails")
		}
	})
	if no == nil && stored && told {
		// Nothing is left that could remember anything.
		u.used, u.posts, u.asked = map[int][]int64{}, nil, nil
		u.fresh++
	}
}

// pass grants a bypass and signs in with it, until after its end.
func (r *modelRun) pass(u *modelUser) {
	if r.chance(2) && u.account.enrolled() {
		r.adminResetWith(u, r.chance(2), false)
	}
	proof := modelProof{kind: "reauth"}
	if x, ok := modelPick(r, u.account.apps); ok {
		if before := len(r.receipts); r.verify(u, modelNext(x, r.now())) == nil {
			proof = modelProof{kind: "receipt", receipt: r.receipts[before]}
		}
	}
	r.bypassFor(u, time.Hour, 24*time.Hour)
	for range 3 {
		r.signInWith(u, enrollment.SignInOptions{Require: r.chance(2), Device: enrollment.DeviceTokenOf(r.device(u))})
		switch r.rng.IntN(4) {
		case 0:
			r.real = r.real.Add(time.Duration(r.rng.IntN(90)) * time.Minute)
		case 1:
			if x, ok := modelPick(r, u.account.apps); ok && u.account.address.channel == "" {
				r.removeBy(u, x.id, proof)
			} else {
				r.unbindBy(u, proof)
			}
		case 2:
			r.answer(u)
		}
	}
	r.real = r.real.Add(time.Hour)
	r.signInWith(u, enrollment.SignInOptions{Require: r.chance(2), Grace: r.now().Add(time.Hour)})
	r.enroll(u)
}

// invite takes everything away and asks for a ticket, with which the user sets
// up anew.
func (r *modelRun) invite(u *modelUser) {
	r.adminResetWith(u, true, false)
	for range 2 + r.rng.IntN(3) {
		ticket := r.ticket(u)
		if r.chance(3) {
			r.bindWith(u, ticket, r.proof(u))
			r.confirmAddress(u)
		} else {
			r.beginWith(u, totp.Key{}, "", "", ticket, r.proof(u))
			r.confirm(u)
		}
		if r.chance(4) {
			r.step()
		}
	}
}
