package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

var moveID = account.MoveID{4, 2}

// departed is an account with everything that goes along, on its way to bob.
func departed(t *testing.T) *world {
	t.Helper()
	w := access(t)
	w.a.Depart(w.moment(), moveID, "bob")
	w.a.Stamp(w.moment())
	return w
}

// claimed is the record of bob before that arrives.
func claimed(w *world) *account.Account {
	a := account.New(w.moment())
	a.Claim(w.moment(), moveID, "alice")
	a.Stamp(w.moment())
	return a
}

// arrived is what becomes of both.
func arrived(t *testing.T) (there, left *account.Account) {
	t.Helper()
	w := departed(t)
	w.reload()
	there = claimed(w)
	if err := there.Arrive(w.moment(), w.a, account.Admin{Actor: "root", Reason: "married"}); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	there.Stamp(w.moment())
	w.a.Vacate(w.moment())
	w.a.Stamp(w.moment())
	return there, w.a
}

// What hosts have stored must stay readable: these files never change.
func TestGoldenFilesOfMove(t *testing.T) {
	there, left := arrived(t)
	w := departed(t)
	for name, a := range map[string]*account.Account{
		"v1-move-claimed": claimed(w), "v1-move-leaving": w.a, "v1-move-arrived": there, "v1-move-gone": left,
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, a) })
	}
}

// A record that is part of a move says which, and that nothing is due in it.
func TestMoveIsRead(t *testing.T) {
	t.Parallel()
	there, left := arrived(t)
	w := departed(t)
	for stage, x := range map[account.MoveStage]struct {
		a     *account.Account
		other string
		state account.State
	}{
		account.Claimed: {claimed(w), "alice", account.None},
		account.Leaving: {w.a, "bob", account.Confirmed},
		account.Gone:    {left, "bob", account.None},
	} {
		a, err := account.Decode(encode(t, x.a))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := a.Move(), (account.Move{Stage: stage, ID: moveID, Other: x.other}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if due, err := a.Due(); err != nil || !due.IsZero() || a.State() != x.state {
			t.Errorf("stage %d: due %v, state %d, %v", stage, due, a.State(), err)
		}
	}
	a, err := account.Decode(encode(t, there))
	if err != nil {
		t.Fatal(err)
	}
	if id, from := a.Arrival(); id != moveID || from != "alice" || a.Move() != (account.Move{}) {
		t.Errorf("arrived by %v from %q, %+v", id, from, a.Move())
	}
	if due, err := a.Due(); err != nil || due.IsZero() {
		t.Errorf("the request for a reset is due %v, %v", due, err)
	}
	if n := len(encode(t, left)); n > 100 {
		t.Errorf("%d bytes are left of an account that has gone", n)
	}
}

// A node that knows nothing of moves refuses such a record: it would ask for no
// second factor, or change an account that has a copy elsewhere.
func TestMoveMustBeUnderstood(t *testing.T) {
	t.Parallel()
	b := encode(t, departed(t).a)
	at := strings.LastIndex(string(b), "bob") - 1 - len(moveID) - 3
	if b[at] < account.FieldTag {
		t.Fatalf("the tag of a move is %d", b[at])
	}
	b[at]++ // a field that this version does not know
	if _, err := account.Decode(b); !errors.Is(err, account.ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
}

// What is no move is damage.
func TestDamagedMove(t *testing.T) {
	t.Parallel()
	w := departed(t)
	for name, change := range map[string]func(a *account.Account){
		"no id":        func(a *account.Account) { a.Depart(w.moment(), account.MoveID{}, "bob") },
		"nowhere":      func(a *account.Account) { a.Depart(w.moment(), moveID, "") },
		"a long way":   func(a *account.Account) { a.Depart(w.moment(), moveID, strings.Repeat("b", 256)) },
		"from nowhere": func(a *account.Account) { a.Claim(w.moment(), moveID, "") },
	} {
		a := account.New(w.moment())
		change(a)
		if _, err := account.Decode(encode(t, a)); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}

// Trust in devices ends and a bypass does not: the hash of a device names the user.
// A ticket is demanded still, and the one that was issued is void.
func TestWhatMoves(t *testing.T) {
	t.Parallel()
	there, _ := arrived(t)
	w := access(t)
	if devices, err := there.Devices(w.now); err != nil || len(devices) != 0 {
		t.Errorf("%d devices, %v", len(devices), err)
	}
	if got := there.Bypass(w.now); got != w.a.Bypass(w.now) || got == (account.Bypass{}) {
		t.Errorf("%+v", got)
	}
	if there.Epoch() == w.a.Epoch() || there.ResetRequest() != w.a.ResetRequest() {
		t.Error("the epoch is the same, or the request for a reset is another")
	}

	w = afterReset(t)
	w.a.Depart(w.moment(), moveID, "bob")
	a := claimed(w)
	if err := a.Arrive(w.moment(), w.a, account.Admin{Actor: "root", Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	mustReason(t, account.CheckTicket(a, account.TicketHash{}), account.TicketRequired)
	mustReason(t, account.CheckTicket(a, account.TicketHash{7, 7, 7}), account.TicketInvalid)
	if !a.MustEnroll(w.now.Add(25 * time.Hour)) {
		t.Error("the end of the bypass no longer demands an enrolment")
	}
}
