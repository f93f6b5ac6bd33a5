package enrollment_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A scene is an account in one of the states of the table, with everything at
// hand that an operation could be called with.
type scene struct {
	t      *testing.T
	guard  *enrollment.Guard
	store  *memory.Store
	now    time.Time
	state  string
	app    totp.Key // of the confirmed authenticator
	second totp.Key // of another confirmed one, so that one can be removed
	waits  totp.Key // of the setup
	token  string   // of the setup
	codes  []string // recovery codes

	challenge string
	receipt   string
}

const sceneUser = "alice"

func newScene(t *testing.T, state string, config enrollment.Config) *scene {
	t.Helper()
	s := &scene{t: t, store: memory.New(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), state: state}
	config.Issuer = "Acme"
	config.RecoveryScheme = recovery.Fast
	config.AllowSHA1 = fips.Enforced()
	config.Now = func() time.Time { return s.now }
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	if s.guard, err = enrollment.New(s.store, keys, config); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := enrollment.New(memory.New(), keys, config)
	if err != nil {
		t.Fatal(err)
	}
	// Tokens of an account that is not this one, sealed with the same keys.
	_, s.waits, s.token = s.begin(elsewhere, enrollment.Proof{})
	s.enroll(elsewhere)

	switch state {
	case "none":
	case "pending":
		_, s.waits, s.token = s.begin(s.guard, enrollment.Proof{})
	case "confirmed", "staged", "disabled":
		s.app = s.enroll(s.guard)
		_, k, token := s.begin(s.guard, enrollment.ByCode(s.code(s.app)))
		if done, err := s.guard.Confirm(t.Context(), sceneUser, token, s.code(k)); err != nil {
			t.Fatal(err)
		} else {
			s.receipt = done.Success.Receipt
		}
		s.second = k
		s.tick()
		d, err := s.guard.SignIn(t.Context(), sceneUser, enrollment.Login{})
		if err != nil {
			t.Fatal(err)
		}
		s.challenge = d.Challenge
		if state == "staged" {
			_, s.waits, s.token = s.begin(s.guard, enrollment.ByReceipt(s.receipt))
		}
		if state == "disabled" {
			if err := s.guard.Disable(t.Context(), sceneUser, enrollment.ByReceipt(s.receipt)); err != nil {
				t.Fatal(err)
			}
		}
	default:
		t.Fatalf("no state %q", state)
	}
	return s
}

func (s *scene) tick() { s.now = s.now.Add(31 * time.Second) }

func (s *scene) code(k totp.Key) string {
	s.t.Helper()
	if k.IsZero() {
		return "123456"
	}
	return modelShown(k, s.now)
}

func (s *scene) begin(g *enrollment.Guard, p enrollment.Proof) (enrollment.Setup, totp.Key, string) {
	s.t.Helper()
	setup, err := g.Begin(s.t.Context(), sceneUser, enrollment.Options{Account: "alice@example.com", Proof: p})
	if err != nil {
		s.t.Fatal(err)
	}
	k, _, err := totp.ParseURI(setup.URI())
	if err != nil {
		s.t.Fatal(err)
	}
	return setup, k, setup.Token
}

// enroll confirms a first authenticator and remembers a challenge, a receipt
// and the recovery codes.
func (s *scene) enroll(g *enrollment.Guard) totp.Key {
	s.t.Helper()
	_, k, token := s.begin(g, enrollment.Proof{})
	done, err := g.Confirm(s.t.Context(), sceneUser, token, s.code(k))
	if err != nil {
		s.t.Fatal(err)
	}
	s.codes, s.receipt = done.Codes.Reveal(), done.Success.Receipt
	s.tick()
	d, err := g.SignIn(s.t.Context(), sceneUser, enrollment.Login{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.challenge = d.Challenge
	return k
}

// stateNow is the state in the words of the table.
func (s *scene) stateNow() string {
	s.t.Helper()
	status, err := s.guard.Status(s.t.Context(), sceneUser)
	if err != nil {
		s.t.Fatal(err)
	}
	if status.Enabled() && !status.SetupExpires.IsZero() {
		return "staged"
	}
	return status.State.String()
}

// record is what the store holds, byte for byte.
func (s *scene) record() string {
	s.t.Helper()
	rec, err := s.store.Load(s.t.Context(), sceneUser)
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return string(rec.Data)
}

func (s *scene) authenticator() string {
	status, err := s.guard.Status(s.t.Context(), sceneUser)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(status.Authenticators) == 0 {
		return "0000000000000001"
	}
	return status.Authenticators[0].ID
}

// sceneOperations are the rows of the table.
var sceneOperations = map[string]func(s *scene, p enrollment.Proof) error{
	"Begin": func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.Begin(s.t.Context(), sceneUser, enrollment.Options{Account: "a", Proof: p})
		return err
	},
	"Begin+Replace": func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.Begin(s.t.Context(), sceneUser, enrollment.Options{Account: "a", Proof: p, Replace: s.authenticator()})
		return err
	},
	"Resume": func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Resume(s.t.Context(), sceneUser, s.token)
		return err
	},
	"Confirm": func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Confirm(s.t.Context(), sceneUser, s.token, s.code(s.waits))
		return err
	},
	"Cancel": func(s *scene, _ enrollment.Proof) error { return s.guard.Cancel(s.t.Context(), sceneUser) },
	"SignIn": func(s *scene, _ enrollment.Proof) error {
		d, err := s.guard.SignIn(s.t.Context(), sceneUser, enrollment.Login{})
		want := enrollment.Proceed
		if s.state == "confirmed" || s.state == "staged" {
			want = enrollment.AskCode
		}
		if d.Next != want {
			s.t.Errorf("SignIn says %v, want %v", d.Next, want)
		}
		return err
	},
	"Answer": func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Answer(s.t.Context(), enrollment.SignInPurpose, s.challenge, s.code(s.app))
		return err
	},
	"Verify": func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Verify(s.t.Context(), sceneUser, "step-up", s.code(s.app))
		return err
	},
	"NewCodes": func(s *scene, p enrollment.Proof) error {
		_, err := s.guard.NewCodes(s.t.Context(), sceneUser, p)
		return err
	},
	"Remove": func(s *scene, p enrollment.Proof) error {
		return s.guard.Remove(s.t.Context(), sceneUser, s.authenticator(), p)
	},
	"Disable": func(s *scene, p enrollment.Proof) error {
		return s.guard.Disable(s.t.Context(), sceneUser, p)
	},
	"Status": func(s *scene, _ enrollment.Proof) error {
		_, err := s.guard.Status(s.t.Context(), sceneUser)
		return err
	},
}

// docTable returns a table of the package documentation: its head, and its
// rows.
func docTable(t *testing.T, head string) (columns []string, rows [][]string) {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(source)) {
		text, indented := strings.CutPrefix(line, "//\t")
		switch {
		case indented && strings.HasPrefix(text, head):
			columns = strings.Fields(text)[1:]
		case columns != nil && !indented:
			return columns, rows
		case columns != nil:
			rows = append(rows, strings.Fields(text))
		}
	}
	t.Fatalf("doc.go has no table that begins with %q", head)
	return nil, nil
}

// The table in the documentation is the specification: every pair of state and
// operation is walked, those that need a proof with each kind of proof.
func TestStateTable(t *testing.T) {
	t.Parallel()
	states, rows := docTable(t, "operation       none")
	if len(rows) != len(sceneOperations) {
		t.Fatalf("%d rows, want %d", len(rows), len(sceneOperations))
	}
	for _, row := range rows {
		operation := sceneOperations[row[0]]
		if operation == nil || len(row) != len(states)+1 {
			t.Fatalf("row %q is not one to walk", row)
		}
		for i, state := range states {
			want, needsProof := strings.CutSuffix(row[i+1], "*")
			t.Run(row[0]+"/"+state, func(t *testing.T) {
				t.Parallel()
				if needsProof {
					walkProofs(t, row[0], state, want)
					return
				}
				s := newScene(t, state, enrollment.Config{})
				proof := enrollment.ByCode(s.code(s.app))
				before := s.record()
				s.expect(operation(s, proof), want)
				if strings.Contains(want, "_") && s.record() != before {
					t.Error("what was denied has changed the record")
				}
			})
		}
	}
}

// expect checks the outcome of an operation against a cell of the table.
func (s *scene) expect(err error, want string) {
	s.t.Helper()
	switch want {
	case "none", "pending", "confirmed", "staged", "disabled":
		if err != nil {
			s.t.Fatalf("denied: %v", err)
		}
		if got := s.stateNow(); got != want {
			s.t.Errorf("state %q, want %q", got, want)
		}
	default:
		var denied *enrollment.Denied
		if !errors.As(err, &denied) || string(denied.Reason) != want {
			s.t.Errorf("got %v, want denied as %q", err, want)
		}
		if got := s.stateNow(); got != s.state {
			s.t.Errorf("the state went from %q to %q", s.state, got)
		}
	}
}

// walkProofs calls an operation that needs a proof with every kind of proof.
func walkProofs(t *testing.T, name, state, want string) {
	reauth := name == "Remove" || name == "Disable"
	for _, c := range []struct {
		name   string
		proof  func(s *scene) enrollment.Proof
		want   string // the reason, or "" if it is authorised
		writes bool   // whether a refusal is counted
		config enrollment.Config
	}{
		{name: "none", proof: func(*scene) enrollment.Proof { return enrollment.Proof{} }, want: "proof_required"},
		{name: "app code", proof: func(s *scene) enrollment.Proof { return enrollment.ByCode(s.code(s.app)) }},
		{name: "other app's code", proof: func(s *scene) enrollment.Proof { return enrollment.ByCode(s.code(s.second)) }},
		{name: "recovery code", proof: func(s *scene) enrollment.Proof { return enrollment.ByCode(s.codes[0]) }},
		{name: "wrong code", proof: func(s *scene) enrollment.Proof { return enrollment.ByCode(s.wrong()) }, want: "wrong_code", writes: true},
		{name: "malformed code", proof: func(s *scene) enrollment.Proof { return enrollment.ByCode("hello") }, want: "malformed_code"},
		{name: "used code", proof: func(s *scene) enrollment.Proof {
			code := s.code(s.app)
			if _, err := s.guard.Verify(s.t.Context(), sceneUser, "x", code); err != nil {
				s.t.Fatal(err)
			}
			return enrollment.ByCode(code)
		}, want: "code_already_used"},
		{name: "receipt", proof: func(s *scene) enrollment.Proof { return enrollment.ByReceipt(s.receipt) }},
		{name: "stale receipt", proof: func(s *scene) enrollment.Proof {
			s.now = s.now.Add(enrollment.ReceiptTTL)
			return enrollment.ByReceipt(s.receipt)
		}, want: "proof_stale"},
		{name: "void receipt", proof: func(s *scene) enrollment.Proof {
			old := s.receipt
			renewed, err := s.guard.NewCodes(s.t.Context(), sceneUser, enrollment.ByReceipt(old))
			if err != nil {
				s.t.Fatal(err)
			}
			if s.state == "staged" { // that voided the setup as well
				_, s.waits, s.token = s.begin(s.guard, enrollment.ByReceipt(renewed.Receipt))
			}
			return enrollment.ByReceipt(old)
		}, want: "proof_invalid"},
		{name: "no receipt", proof: func(s *scene) enrollment.Proof { return enrollment.ByReceipt(s.challenge) }, want: "proof_invalid"},
		{name: "another user's receipt", proof: func(s *scene) enrollment.Proof {
			return enrollment.ByReceipt(s.receiptOf("mallory"))
		}, want: "proof_invalid"},
		{name: "re-authentication", proof: func(*scene) enrollment.Proof { return enrollment.ByReauth("password") }, want: "proof_not_allowed"},
		{name: "re-authentication where allowed", proof: func(*scene) enrollment.Proof { return enrollment.ByReauth("password") },
			want:   map[bool]string{false: "proof_not_allowed"}[reauth],
			config: enrollment.Config{AllowReauth: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, state, c.config)
			proof := c.proof(s)
			before := s.record()
			err := sceneOperations[name](s, proof)
			if c.want == "" {
				s.expect(err, want)
				return
			}
			s.expect(err, c.want)
			if changed := s.record() != before; changed != c.writes {
				t.Errorf("the record changed: %v, want %v", changed, c.writes)
			}
		})
	}
}

// wrong returns a code that is none of the account's.
func (s *scene) wrong() string {
	for _, c := range []string{"000000", "111111", "222222", "333333", "444444"} {
		_, a := s.app.Check(c, s.now, 0)
		_, b := s.second.Check(c, s.now, 0)
		if a != nil && b != nil {
			return c
		}
	}
	s.t.Fatal("every code is right")
	return ""
}

func (s *scene) receiptOf(user string) string {
	s.t.Helper()
	setup, err := s.guard.Begin(s.t.Context(), user, enrollment.Options{Account: user})
	if err != nil {
		s.t.Fatal(err)
	}
	k, _, err := totp.ParseURI(setup.URI())
	if err != nil {
		s.t.Fatal(err)
	}
	done, err := s.guard.Confirm(s.t.Context(), user, setup.Token, s.code(k))
	if err != nil {
		s.t.Fatal(err)
	}
	return done.Success.Receipt
}
