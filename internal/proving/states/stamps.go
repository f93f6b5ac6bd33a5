package states

import (
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// The stamp changes with the operations of its table that succeed, and with every
// use of a recovery code. It changes with nothing else.
func TestStampTable(t *testing.T, open proving.Open) {
	_, rows := docTable(t, "stamp")
	changes := firstWords(rows)
	for _, name := range changes {
		if _, ok := operations[name]; !ok {
			t.Errorf("%s is no operation", name)
		}
	}
	proofs := proofTable(t)
	for name, o := range operations {
		for _, state := range []string{"none", "pending", "confirmed", "staged", "disabled"} {
			t.Run(name+"/"+state, func(t *testing.T) {
				t.Parallel()
				s := o.ready(tabled(t, open, state, o.needs))
				proof := enrollment.ByCode(s.right())
				before := s.stamp()
				err := o.call(s, proof)
				if name == "Admin.Move" && err == nil {
					return // there is no account under this id any more
				}
				changed := err == nil && slices.Contains(changes, name)
				if name == "Admin.Erase" {
					changed = s.Name != "none" && s.Name != "pending" // they never had a factor
				}
				if name == "SignIn+Import" {
					changed = s.Name == "none" || s.Name == "pending" // nobody else is moved
				}
				if got := s.stamp() != before; got != changed {
					t.Errorf("the stamp has changed: %t, want %t (%v)", got, changed, err)
				}
			})
		}
		if cells := proofs[name]; cells == nil || cells[1] != "yes" {
			continue
		}
		t.Run(name+" by a recovery code", func(t *testing.T) {
			t.Parallel()
			s := o.ready(tabled(t, open, "confirmed", o.needs))
			before := s.stamp()
			s.Must(o.call(s, enrollment.ByCode(s.recoveryCode())))
			if s.stamp() == before {
				t.Error("the stamp has not changed")
			}
		})
	}
}

// What starts or keeps a session has the stamp that Status has.
func TestStampOfSessions(t *testing.T, open proving.Open) {
	s := tabled(t, open, "none", needs{})
	ctx := t.Context()
	never := s.stamp()
	same := func(what string, got enrollment.Stamp) {
		t.Helper()
		if want := s.stamp(); got != want || want == "" {
			t.Errorf("%s has the stamp %q, Status %q", what, got, want)
		}
	}
	d, err := s.Guard.SignIn(ctx, User, enrollment.SignInOptions{})
	s.Must(err)
	same("SignIn of nobody", d.Stamp)
	listed, err := s.Directory().Statuses(ctx, []string{User})
	s.Must(err)
	same("Statuses of nobody", listed[User].Stamp)

	s.confirm()
	s.tick()
	if s.stamp() == never {
		t.Error("a first factor has not changed the stamp")
	}
	d, err = s.Guard.SignIn(ctx, User, enrollment.SignInOptions{})
	s.Must(err)
	if d.Next != enrollment.AskCode || d.Stamp != "" {
		t.Errorf("%v with the stamp %q, before there is a session", d.Next, d.Stamp)
	}
	ok, err := s.Guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, s.code(s.App))
	s.Must(err)
	same("Answer", ok.Stamp)
	s.tick()
	ok, err = s.Guard.Verify(ctx, User, "x", s.recoveryCode())
	s.Must(err)
	same("Verify with a recovery code", ok.Stamp)
	renewed, err := s.Guard.RenewCodes(ctx, User, enrollment.ByReceipt(ok.Receipt))
	s.Must(err)
	same("RenewCodes", renewed.Stamp)
	s.stage(enrollment.ByReceipt(renewed.Receipt))
	status := s.Status(User)
	s.Must(s.Guard.Remove(ctx, User, status.Authenticators[0].ID, enrollment.ByReceipt(renewed.Receipt)))
	if s.stamp() == renewed.Stamp {
		t.Error("Remove has not changed the stamp")
	}
	s.Must(s.admin().Erase(ctx, User))
	same("nobody", never)
}

// stamp is what Status has.
func (s *State) stamp() enrollment.Stamp { return s.Status(User).Stamp }
