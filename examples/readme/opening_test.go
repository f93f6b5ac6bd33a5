package readme

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestOpening walks through the code of the README: off, on, signed in by the app,
// by a recovery code, and denied.
func TestOpening(t *testing.T) {
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TWOFACTOR_KEYS", keys.Reveal())
	db := openSQLite(t)
	told := make(chan enrollment.Event, 16)
	notify := func(_ context.Context, e enrollment.Event) error { told <- e; return nil }
	guard, err := start(t.Context(), db, sqlstore.SQLite, notify)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, guard: guard}
	v.signIn("")
	v.turnOn()
	v.signIn(v.app.Code(time.Now().Add(v.app.Period())))
	v.signIn(v.codes[0])
	if len(told) != 2 || (<-told).Kind != enrollment.EventEnabled || (<-told).Kind != enrollment.EventRecoveryUsed {
		t.Error("the user was not told of the setup and of the recovery code")
	}

	// The same code again is denied, and starts no session.
	v.session = ""
	if err := v.pages().signIn(t.Context(), guard, userID); err != nil {
		t.Fatal(err)
	}
	if err := v.pages().answer(t.Context(), guard, v.challenge, v.codes[0]); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(v.denied, enrollment.ErrWrongCode) || v.session != "" {
		t.Errorf("a used code: denied %v, session of %q", v.denied, v.session)
	}

	// Other keys do not open what is stored now, and the application does not start.
	other, err := keyring.Generate("other")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TWOFACTOR_KEYS", other.Reveal())
	if _, err := start(t.Context(), db, sqlstore.SQLite, notify); !errors.Is(err, keyring.ErrUnknownKey) {
		t.Errorf("start with other keys: %v", err)
	}
}

// enroll turns two-factor authentication on over the store, and signs in.
func enroll(t *testing.T, accounts store.Store) {
	t.Helper()
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	guard, err := enrollment.New(accounts, keys, enrollment.Config{Issuer: "Acme", RecoveryScheme: recovery.Fast})
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, guard: guard}
	v.turnOn()
	v.signIn(v.codes[0])
}

const userID = "user-1"

// visitor is a user in front of the pages.
type visitor struct {
	t         *testing.T
	guard     *enrollment.Guard
	app       *enrollmenttest.App
	codes     []string
	token     string
	challenge string
	denied    *enrollment.Denied
	session   string
}

func (v *visitor) pages() pages {
	return pages{
		show: func(setup enrollment.Setup) (err error) {
			v.token = setup.Token.Reveal()
			v.app, err = enrollmenttest.Scan(setup.URI())
			return err
		},
		showOnce: func(codes recovery.Codes) error { v.codes = codes.Reveal(); return nil },
		startSession: func(userID string, stamp enrollment.Stamp) error {
			status, err := v.guard.Status(v.t.Context(), userID)
			if stamp != status.Stamp {
				v.t.Errorf("a session with the stamp %q, want %q", stamp, status.Stamp)
			}
			v.session = userID
			return err
		},
		askForCode:  func(c enrollment.Challenge) error { v.challenge = c.Reveal(); return nil },
		leadToSetup: func(enrollment.EnrollToken) error { return errors.New("nothing is mandatory here") },
		askAgain:    func(denied *enrollment.Denied) error { v.denied = denied; return nil },
	}
}

func (v *visitor) turnOn() {
	v.t.Helper()
	ctx := v.t.Context()
	if err := v.pages().begin(ctx, v.guard, userID, "alice@example.com"); err != nil {
		v.t.Fatal(err)
	}
	if err := v.pages().confirm(ctx, v.guard, userID, v.token, v.app.Code(time.Now())); err != nil {
		v.t.Fatal(err)
	}
	if len(v.codes) != 10 {
		v.t.Fatalf("%d recovery codes", len(v.codes))
	}
}

// signIn signs in with the code, or without one where none is asked for.
func (v *visitor) signIn(code string) {
	v.t.Helper()
	v.session, v.challenge, v.denied = "", "", nil
	if err := v.pages().signIn(v.t.Context(), v.guard, userID); err != nil {
		v.t.Fatal(err)
	}
	if asked := v.challenge != ""; asked != (code != "") || asked == (v.session == userID) {
		v.t.Fatalf("asked for a code: %t, session of %q", asked, v.session)
	}
	if code == "" {
		return
	}
	if err := v.pages().answer(v.t.Context(), v.guard, v.challenge, code); err != nil {
		v.t.Fatal(err)
	}
	if v.denied != nil || v.session != userID {
		v.t.Fatalf("denied %v, session of %q", v.denied, v.session)
	}
}
