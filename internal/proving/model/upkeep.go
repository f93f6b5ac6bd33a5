package model

import (
	"fmt"
	"reflect"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Upkeep of all accounts at once: the rules, and the operations of the driver.

// swept does what is due: what has expired goes, the owner of a request for a
// reset is told of it, and one that has matured and needs nobody's approval is
// carried out. A Guard that tells nobody, quiet, only lets go.
func (a *modelAccount) swept(now time.Time, turn int, quiet bool) (s enrollment.Swept) {
	s.Seen = 1
	if a.expired {
		s.Expired = 1
	}
	if a.lapsed {
		s.Lapsed = 1
	}
	x := &a.reset
	asks := x.open && !now.Before(x.next)
	if quiet {
		if due := a.due(); !due.IsZero() && !now.Before(due) {
			s.Waiting = 1
		}
		a.dirty = a.dirty || s.Expired+s.Lapsed > 0 || s.Waiting == 0
		return s
	}
	a.dirty = true
	defer a.alarm(now)
	if !asks {
		return s
	}
	tell := func(kind enrollment.EventKind, count *int) {
		*count = 1
		a.record(now, enrollment.Event{Kind: kind})
		if x.next = now.Add(modelDay); now.Before(x.matures) && x.next.After(x.matures) {
			x.next = x.matures
		}
	}
	switch matured := !now.Before(x.matures); {
	case matured && !x.told && a.waits(enrollment.EventResetRequested): // the owner has not been told
		x.restart(now)
		tell(enrollment.EventResetReminder, &s.Reminded)
	case matured && x.auto:
		s.Completed = 1
		a.clear(now, turn)
		a.record(now, enrollment.Event{Kind: enrollment.EventReset, Method: "self-service"})
	case matured && !x.told:
		x.told = true
		tell(enrollment.EventResetMatured, &s.Matured)
	default:
		tell(enrollment.EventResetReminder, &s.Reminded)
	}
	return s
}

// A modelPlan is what upkeep should make of an account.
type modelPlan struct {
	user    *modelUser
	account *modelAccount
	back    modelBack
}

// plan is where the upkeep of an account begins.
func (r *modelRun) plan(u *modelUser, now time.Time, turn int) modelPlan {
	x := modelPlan{user: u, account: u.account.clone()}
	x.account.tells = !r.quiet
	x.back = x.account.clampFuture(now, turn)
	x.account.tidy(now)
	x.account.kept = x.account.kept && r.config.KeepCodes
	return x
}

// sweep sweeps all accounts at once, now and then by a Guard that tells nobody.
func (r *modelRun) sweep() {
	guard := r.guard
	r.quiet = !r.notify || r.chance(4)
	if r.quiet && r.notify {
		config := r.config
		config.Notify, config.AutoReset = nil, false
		var err error
		if guard, err = enrollment.New(r.store, r.ring, config); err != nil {
			r.t.Fatal(err)
		}
	}
	var plans []modelPlan
	var want enrollment.Swept
	now := r.now()
	for _, u := range r.users {
		if due := u.account.due(); due.IsZero() || now.Before(due) {
			continue
		}
		turn := r.next()
		x := r.plan(u, now, turn)
		s := x.account.swept(now, turn, r.quiet)
		want.Seen += s.Seen
		want.Expired += s.Expired
		want.Lapsed += s.Lapsed
		want.Waiting += s.Waiting
		want.Reminded += s.Reminded
		want.Matured += s.Matured
		want.Completed += s.Completed
		plans = append(plans, x)
	}
	r.tick(now)
	r.notifyFails = r.notify && (r.notifyDown || r.chance(4))
	r.notified, r.observed = nil, nil
	saves := r.store.Calls(proving.Save)
	got, err := r.directory(guard).Sweep(r.t.Context())
	for what, n := range map[string]int{
		"expired": got.Expired, "lapsed": got.Lapsed, "waiting": got.Waiting, "reminded": got.Reminded, "matured": got.Matured,
		"completed": got.Completed, "delivered": got.Delivered, "undelivered": got.Undelivered,
	} {
		if n > 0 {
			r.tally["Sweep: "+what]++
		}
	}
	r.log = append(r.log, fmt.Sprintf("%3d %s Sweep, quiet %t → %+v, %v", len(r.log), now.Format(time.RFC3339Nano), r.quiet, got, err))
	if want.Delivered = len(r.notified); r.notifyFails {
		want.Delivered, want.Undelivered = 0, len(r.notified)
	}
	got.Walked, got.Walk = 0, "" // each Directory walks over all accounts
	if err != nil || !reflect.DeepEqual(got, want) {
		r.fatalf("Sweep says %+v, %v; want %+v", got, err, want)
	}
	var seen []enrollment.Observation
	writes := 0
	for _, x := range plans {
		for _, q := range x.account.fresh {
			r.tally["Swept event: "+string(q.event.Kind)]++
			seen = append(seen, enrollment.Observation{Event: q.event.Kind, Factor: q.event.Factor})
		}
		seen = append(seen, enrollment.Observation{Operation: "sweep", Outcome: "ok"})
		if !x.account.dirty {
			continue
		}
		if x.user.account.enrolled() && !x.account.enrolled() {
			x.user.grants++ // a reset
		}
		told := r.commit(x.user, x.account, x.back, now)
		if writes++; told && !r.notifyFails {
			writes++ // the acknowledgement
		}
	}
	if got := r.store.Calls(proving.Save) - saves; got != writes {
		r.fatalf("%d times an account was saved, want %d", got, writes)
	}
	if !reflect.DeepEqual(r.observed, seen) {
		r.fatalf("observed were %+v, want %+v", r.observed, seen)
	}
	r.quiet = false
	r.inspect()
}

func (r *modelRun) directory(g *enrollment.Guard) *enrollment.Directory {
	d, err := enrollment.NewDirectory(g, r.store)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// reseal moves all accounts to a fresh key. What they hold stays, also what any
// other write lets go.
func (r *modelRun) reseal() {
	var plans []modelPlan
	now := r.now()
	if r.chance(2) {
		ring, err := r.ring.Rotate(fmt.Sprintf("model-%d", r.next()))
		if err != nil {
			return // it is full
		}
		r.ring.Ring = ring
	}
	r.quiet = true // what is not delivered waits for others
	want := enrollment.Resealed{Done: true, Keys: map[string]int{}}
	for _, u := range r.users {
		if !u.account.stored {
			continue
		}
		want.Seen++
		id, err := r.ring.KeyID(u.record.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		if want.Keys[id]++; id == r.ring.PrimaryID() {
			continue
		}
		want.Moved++
		x := modelPlan{user: u, account: u.account.clone()}
		x.account.dirty = true
		plans = append(plans, x)
	}
	for name := range r.left { // what is left there is sealed, too
		want.Seen++
		rec, err := r.store.Straight.Load(r.t.Context(), name)
		if err != nil {
			r.t.Fatal(err)
		}
		id, err := r.ring.KeyID(rec.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		if want.Keys[id]++; id != r.ring.PrimaryID() {
			want.Moved++
		}
	}
	r.tick(now)
	r.notified, r.observed = nil, nil
	saves := r.store.Calls(proving.Save)
	got, err := r.directory(r.guard).Reseal(r.t.Context(), enrollment.ResealOptions{})
	r.tally[fmt.Sprintf("Reseal: %d", got.Moved)]++
	r.log = append(r.log, fmt.Sprintf("%3d %s Reseal → %+v, %v", len(r.log), now.Format(time.RFC3339Nano), got, err))
	if err != nil || !reflect.DeepEqual(got, want) || r.store.Calls(proving.Save)-saves != want.Moved {
		r.fatalf("Reseal says %+v, %v; want %+v", got, err, want)
	}
	if len(r.notified)+len(r.observed) > 0 {
		r.fatalf("Reseal tells %+v and %+v", r.notified, r.observed)
	}
	for _, x := range plans {
		r.commit(x.user, x.account, x.back, now)
	}
	r.quiet = false
	r.inspect()
}
