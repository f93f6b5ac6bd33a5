package enrollment_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/bcrypt"
)

// A moveRig is a Guard over a store that a test can bend, and everything that
// it tells.
type moveRig struct {
	*enrollment.Guard
	t      *testing.T
	clock  *enrollmenttest.Clock
	store  *moveStore
	ring   *keyring.Ring
	config enrollment.Config

	mu     sync.Mutex
	events []enrollment.Event
	seen   []enrollment.Observation
	log    bytes.Buffer
}

func newMoveRig(t *testing.T, adjust ...func(*enrollment.Config)) *moveRig {
	t.Helper()
	ring, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	r := &moveRig{
		t:     t,
		clock: enrollmenttest.NewClock(time.Date(2026, time.January, 2, 3, 4, 10, 0, time.UTC)),
		store: &moveStore{Store: memory.New()},
		ring:  ring,
	}
	r.config = enrollment.Config{
		Issuer:         "Acme",
		RecoveryScheme: recovery.Fast,
		AllowSHA1:      fips.Enforced(),
		Now:            r.clock.Now,
		Logger:         slog.New(slog.NewTextHandler(r, nil)),
		Notify: func(_ context.Context, e enrollment.Event) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
			return nil
		},
		Observe: func(o enrollment.Observation) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seen = append(r.seen, o)
		},
	}
	r.Guard = r.another(adjust...)
	return r
}

// Write takes lines of the log.
func (r *moveRig) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

// another returns a Guard of another node, configured differently from now on.
func (r *moveRig) another(adjust ...func(*enrollment.Config)) *enrollment.Guard {
	r.t.Helper()
	for _, f := range adjust {
		f(&r.config)
	}
	if r.config.RecoveryScheme == recovery.Argon2id && fips.Enforced() {
		r.t.Skip("Argon2id is refused, FIPS 140-3 is enforced")
	}
	g, err := enrollment.New(r.store, r.ring, r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

// told returns the events since it was called last.
func (r *moveRig) told() []enrollment.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// lines returns the log since it was called last.
func (r *moveRig) lines() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.log.String()
	r.log.Reset()
	return text
}

// last returns the latest operation that was observed.
func (r *moveRig) last() enrollment.Observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range slices.Backward(r.seen) {
		if o.Operation != "" {
			return o
		}
	}
	return enrollment.Observation{}
}

// record returns what is stored of a user.
func (r *moveRig) record(user string) store.Record {
	r.t.Helper()
	rec, err := r.store.Store.Load(context.Background(), user)
	if err != nil {
		r.t.Fatal(err)
	}
	return rec
}

func (r *moveRig) status(user string) enrollment.Status {
	r.t.Helper()
	s, err := r.Status(r.t.Context(), user)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// move imports a user with one app and these hashes, and lets a minute pass.
func (r *moveRig) move(user string, hashes ...[]byte) totp.Key {
	r.t.Helper()
	key := r.key(user, totp.Params{})
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}, RecoveryHashes: hashes}
	if err := r.Admin("carol", "moving").Import(r.t.Context(), user, im); err != nil {
		r.t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	r.told()
	return key
}

// key is a key that the other system had of the user.
func (r *moveRig) key(user string, p totp.Params) totp.Key {
	r.t.Helper()
	sum := sha256.Sum256([]byte(user))
	secret, err := totp.NewSecret(sum[:20])
	if err != nil {
		r.t.Fatal(err)
	}
	key, err := totp.NewKey(secret, p)
	if err != nil {
		r.t.Fatal(err)
	}
	return key
}

func (r *moveRig) code(key totp.Key) string { return modelShown(key, r.clock.Now()) }

// answer signs in with both factors.
func (r *moveRig) answer(user, code string) (enrollment.Success, error) {
	r.t.Helper()
	d, err := r.SignIn(r.t.Context(), user, enrollment.SignInOptions{})
	if err != nil || d.Next != enrollment.AskCode {
		r.t.Fatalf("SignIn = %v, %v", d.Next, err)
	}
	return r.Answer(r.t.Context(), enrollment.PurposeSignIn, d.Challenge, code)
}

func (r *moveRig) denied(err error, want enrollment.Reason) {
	r.t.Helper()
	if got := modelReason(err); got != want {
		r.t.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

// A moveStore is a store whose calls a test can hold up and bend.
type moveStore struct {
	*memory.Store
	save    atomic.Pointer[func(ctx context.Context, rec store.Record, prev int64) error]
	waiting atomic.Int64 // how many Loads are yet to come before any returns
	open    chan struct{}
}

// barrier holds the next n Loads until all of them have loaded.
func (s *moveStore) barrier(n int) {
	s.open = make(chan struct{})
	s.waiting.Store(int64(n))
}

func (s *moveStore) Load(ctx context.Context, user string) (store.Record, error) {
	rec, err := s.Store.Load(ctx, user)
	if s.open != nil {
		if s.waiting.Add(-1) == 0 {
			close(s.open)
		}
		<-s.open
	}
	return rec, err
}

func (s *moveStore) Save(ctx context.Context, rec store.Record, prev int64) error {
	if f := s.save.Load(); f != nil {
		return (*f)(ctx, rec, prev)
	}
	return s.Store.Save(ctx, rec, prev)
}

// loseReply commits the next write and answers with an error.
func (s *moveStore) loseReply() {
	f := func(ctx context.Context, rec store.Record, prev int64) error {
		s.save.Store(nil)
		if err := s.Store.Save(ctx, rec, prev); err != nil {
			return err
		}
		return errors.New("the connection is gone")
	}
	s.save.Store(&f)
}

// moveRace calls f n times at once and returns how often each outcome came.
func moveRace(n int, f func() error) map[enrollment.Reason]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	outcomes := make(map[enrollment.Reason]int)
	for range n {
		all.Go(func() {
			r := modelReason(f())
			mu.Lock()
			defer mu.Unlock()
			outcomes[r]++
		})
	}
	all.Wait()
	return outcomes
}

// bcrypted returns hashes with bcrypt. It skips the test where no Guard
// evaluates those.
func bcrypted(t *testing.T, cost int, codes ...string) (hashes [][]byte) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("bcrypt is refused, FIPS 140-3 is enforced")
	}
	for _, c := range codes {
		hash, err := bcrypt.GenerateFromPassword([]byte(c), cost)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
	}
	return hashes
}

func summed(codes ...string) (hashes [][]byte) {
	for _, c := range codes {
		sum := sha256.Sum256([]byte(c))
		hashes = append(hashes, sum[:])
	}
	return hashes
}

// TestFeatureX9_ImportAndExport: secrets come in every form that others store,
// and go out again, so that nobody is locked in.
func TestImportOfAnExport(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	raw := bytes.Repeat([]byte{0xa5, 3}, 10)
	plain := func(s totp.Secret, err error) totp.Key {
		t.Helper()
		must(err)
		k, err := totp.NewKey(s, totp.Params{})
		must(err)
		return k
	}
	uri, _, err := totp.ParseURI("otpauth://totp/Old:alice?secret=" + base32.StdEncoding.EncodeToString(raw) +
		"&issuer=Old&algorithm=SHA256&digits=8&period=60")
	must(err)
	theirs, err := otp.NewKeyFromURL("otpauth://totp/Old:alice?secret=" + base32.StdEncoding.EncodeToString(raw) + "&issuer=Old")
	must(err)
	object, _, err := totp.FromOTP(theirs)
	must(err)
	for name, key := range map[string]totp.Key{
		"base32":      plain(totp.ParseSecret(base32.StdEncoding.EncodeToString(raw))),
		"hex":         plain(totp.ParseHexSecret(hex.EncodeToString(raw))),
		"otpauth URI": uri,
		"*otp.Key":    object,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMoveRig(t)
			added := time.Date(2024, 5, 6, 7, 8, 9, 10, time.FixedZone("here", 3600))
			err := r.Admin("carol", "moving house").Import(t.Context(), "alice", enrollment.Import{
				Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "old phone", Added: added}},
			})
			if err != nil {
				t.Fatal(err)
			}
			s := r.status("alice")
			if !s.Enabled() || len(s.Authenticators) != 1 || s.Authenticators[0].Name != "old phone" || !s.Authenticators[0].Added.Equal(added.Truncate(time.Microsecond)) {
				t.Fatalf("the status is %+v", s)
			}
			// A code of now may have been used there, and by a phone that is ahead
			// the next one. The one after that works.
			for range 2 {
				_, err = r.answer("alice", r.code(key))
				r.denied(err, enrollment.ReasonReplayed)
				r.clock.Advance(key.Params().Period)
			}
			if _, err := r.answer("alice", r.code(key)); err != nil {
				t.Fatal(err)
			}

			out, err := r.Admin("carol", "moving on").Export(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			list := out.Reveal()
			if len(list) != 1 || list[0].Name != "old phone" || !list[0].Added.Equal(added.Truncate(time.Microsecond)) {
				t.Fatalf("exported: %+v", list)
			}
			text, err := list[0].Key.URI(totp.Label{Issuer: "Acme", Account: "alice"})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range r.told() {
				if e.Actor != "carol" || !strings.HasPrefix(e.Note, "moving") || e.UserID != "alice" {
					t.Errorf("the event %+v", e)
				}
			}
			if h := r.status("alice").History; len(h) != 2 || h[0].Kind != enrollment.EventExported || h[1].Kind != enrollment.EventImported {
				t.Errorf("the history is %+v", h)
			}

			// Elsewhere it works as well.
			moved, err := otp.NewKeyFromURL(text)
			if err != nil {
				t.Fatal(err)
			}
			r.clock.Advance(key.Params().Period)
			var ok bool
			fips.WithoutEnforcement(func() {
				ok, err = pquerna.ValidateCustom(r.code(key), moved.Secret(), r.clock.Now(), pquerna.ValidateOpts{
					Period: uint(moved.Period()), Digits: moved.Digits(), Algorithm: moved.Algorithm(),
				})
			})
			if err != nil || !ok {
				t.Errorf("another system says %t, %v", ok, err)
			}
			again := newMoveRig(t)
			if err := again.Admin("carol", "moving in").Import(t.Context(), "alice", enrollment.Import{
				Authenticators: []enrollment.ImportedAuthenticator{{Key: list[0].Key, Name: list[0].Name, Added: list[0].Added}},
			}); err != nil {
				t.Fatal(err)
			}
			if !again.status("alice").Enabled() {
				t.Error("it did not come in again")
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key := r.key("alice", totp.Params{})
	one := []enrollment.ImportedAuthenticator{{Key: key}}
	var four []enrollment.ImportedAuthenticator
	for i := range 4 {
		four = append(four, enrollment.ImportedAuthenticator{Key: r.key(fmt.Sprint(i), totp.Params{})})
	}
	named := func(name string) enrollment.Import {
		return enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: name}}}
	}
	hashed := func(hashes ...[]byte) enrollment.Import {
		return enrollment.Import{Authenticators: one, RecoveryHashes: hashes}
	}
	var many [][]byte
	for i := range enrollment.MaxImportedCodes + 1 {
		many = append(many, summed(fmt.Sprint("code", i))...)
	}
	dear := []byte("$2b$15$" + strings.Repeat("a", 53))
	tests := []struct {
		name  string
		admin enrollment.Admin
		im    enrollment.Import
		want  enrollment.Reason // "fault" for the mistake of a programmer
		says  string
	}{
		{"nothing", r.Admin("carol", "x"), enrollment.Import{}, "fault", "Authenticators"},
		{"four", r.Admin("carol", "x"), enrollment.Import{Authenticators: four}, "fault", "Authenticators"},
		{"the zero key", r.Admin("carol", "x"), enrollment.Import{Authenticators: make([]enrollment.ImportedAuthenticator, 1)}, "fault", "Authenticators"},
		{"a secret twice", r.Admin("carol", "x"), enrollment.Import{Authenticators: append(one[:1:1], one[0])}, enrollment.ReasonDuplicateSecret, ""},
		{"a long name", r.Admin("carol", "x"), named(strings.Repeat("n", enrollment.MaxName+1)), enrollment.ReasonInvalidName, ""},
		{"a control character", r.Admin("carol", "x"), named("a\nb"), enrollment.ReasonInvalidName, ""},
		{"seventeen codes", r.Admin("carol", "x"), hashed(many...), "fault", "RecoveryHashes"},
		{"a code twice", r.Admin("carol", "x"), hashed(many[0], many[1], many[0]), "fault", "RecoveryHashes"},
		{"half a hash", r.Admin("carol", "x"), hashed(many[0][:16]), "fault", "RecoveryHashes"},
		{"a hash in hex", r.Admin("carol", "x"), hashed([]byte(hex.EncodeToString(many[0]))), "fault", "RecoveryHashes"},
		{"too dear a hash", r.Admin("carol", "x"), hashed(dear), "fault", "RecoveryHashes"},
		{"no actor", r.Admin("", "x"), hashed(), "fault", "actor"},
		{"no reason", r.Admin("carol", ""), hashed(), "fault", "reason"},
		{"oneself", r.Admin("alice", "x"), hashed(), enrollment.ReasonOwnAccount, ""},
	}
	for _, tt := range tests {
		err := tt.admin.Import(t.Context(), "alice", tt.im)
		if got := modelReason(err); got != tt.want || tt.says != "" && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
		if _, err := r.store.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%s: a record was written, %v", tt.name, err)
		}
	}

	r.move("alice", many[:enrollment.MaxImportedCodes]...)
	before := r.record("alice")
	for _, im := range []enrollment.Import{{Authenticators: one}, {Authenticators: four[:1]}} {
		r.denied(r.Admin("carol", "x").Import(t.Context(), "alice", im), enrollment.ReasonAlreadyEnrolled)
	}
	if after := r.record("alice"); after.Version != before.Version {
		t.Error("a refused import was written")
	}
	if s := r.status("alice"); s.Authenticators[0].Name != "Authenticator" || s.CodesLeft != enrollment.MaxImportedCodes {
		t.Errorf("the status is %+v", s)
	}
}

func TestImportKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	hashes := summed("first code", "second code")
	f := func(ctx context.Context, rec store.Record, prev int64) error {
		clear(hashes[0]) // while it is written
		return r.store.Store.Save(ctx, rec, prev)
	}
	r.store.save.Store(&f)
	r.move("alice", hashes...)
	if _, err := r.answer("alice", "first code"); err != nil {
		t.Error(err)
	}
}

// Codes of another system work as they were typed there, and once.
func TestImportedCodes(t *testing.T) {
	t.Parallel()
	const numeric, hyphens = "83920174", "6031-9927"
	ours := "ABCD-EFGH-JKMN-PQRS" // a code of theirs that looks like one of ours
	hashes := slices.Concat(bcrypted(t, 4, "abd34-1b24d", "k2m9a-00x1z"), summed("aBcDeFgHiJ-KlMnOpQrSt", numeric, hyphens, ours, "äöü-ÄÖÜ"))
	tests := []struct {
		name, typed string
		want        enrollment.Reason
	}{
		{"bcrypt", "abd34-1b24d", ""},
		{"white space around it", " \tabd34-1b24d\n", ""},
		{"bcrypt in capitals", "ABD34-1B24D", enrollment.ReasonWrongCode},
		{"bcrypt without the hyphen", "abd341b24d", enrollment.ReasonWrongCode},
		{"SHA-256", "aBcDeFgHiJ-KlMnOpQrSt", ""},
		{"SHA-256 of the wrong case", "AbCdeFgHiJ-KlMnOpQrSt", enrollment.ReasonWrongCode},
		{"more digits than the app's", numeric, ""},
		{"digits with a hyphen", hyphens, ""},
		{"digits without it", "60319927", enrollment.ReasonWrongCode},
		{"a look-alike of ours", ours, ""},
		{"in small letters", strings.ToLower(ours), ""},
		{"not ASCII", "äöü-ÄÖÜ", ""},
		{"as many digits as the app", "123456", enrollment.ReasonWrongCode},
		{"too short", "abd34", enrollment.ReasonMalformedCode},
		{"too long", strings.Repeat("a", 65), enrollment.ReasonMalformedCode},
		{"longer with white space", "abd34-1b24d" + strings.Repeat(" ", 64), enrollment.ReasonMalformedCode},
		{"a control character", "abd34-\x001b24d", enrollment.ReasonMalformedCode},
		{"not UTF-8", "abd34-\xff1b24d", enrollment.ReasonMalformedCode},
		{"a hash itself", hex.EncodeToString(hashes[2]), enrollment.ReasonWrongCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newMoveRig(t, func(c *enrollment.Config) { c.ReplenishCodes = true })
			r.move("alice", hashes...)
			before := r.record("alice")
			ok, err := r.answer("alice", tt.typed)
			r.denied(err, tt.want)
			if written := r.record("alice").Version != before.Version; written == (tt.want == enrollment.ReasonMalformedCode) {
				t.Errorf("written: %t", written)
			}
			if tt.want != "" {
				if left := r.status("alice").CodesLeft; left != len(hashes) {
					t.Errorf("%d codes left", left)
				}
				return
			}
			if ok.Factor != enrollment.FactorRecovery || ok.CodesLeft != len(hashes)-1 || !ok.NewCode.IsZero() || ok.Authenticator != "" {
				t.Errorf("the Success is %+v", ok)
			}
			if o := r.last(); o.Operation != "answer" || o.Outcome != "ok" || o.Factor != enrollment.FactorRecovery {
				t.Errorf("observed: %+v", o)
			}
			if e := r.told(); len(e) != 1 || e[0].Kind != enrollment.EventRecoveryUsed {
				t.Errorf("told: %+v", e)
			}
			_, err = r.answer("alice", tt.typed)
			r.denied(err, enrollment.ReasonReplayed)
			if o := r.last(); o.Factor != enrollment.FactorRecovery || o.Outcome != string(enrollment.ReasonReplayed) {
				t.Errorf("observed: %+v", o)
			}
			text := r.lines()
			for _, canary := range []string{strings.TrimSpace(tt.typed), numeric, "$2a$", hex.EncodeToString(hashes[2])} {
				if strings.Contains(text, canary) {
					t.Errorf("the log shows %q", canary)
				}
			}
		})
	}
}

// The next set takes the place of all, and so does disabling.
func TestImportedCodesGiveWay(t *testing.T) {
	t.Parallel()
	hashes := summed("first code", "second code")
	r := newMoveRig(t)
	key := r.move("alice", hashes...)
	d, err := r.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
	if err != nil || !slices.Equal(d.Factors, []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorRecovery}) {
		t.Errorf("factors %v, %v", d.Factors, err)
	}
	if s := r.status("alice"); s.CodesLeft != 2 || s.CodesTotal != 2 {
		t.Errorf("%d of %d codes", s.CodesLeft, s.CodesTotal)
	}

	// A second phone makes no set as long as some are left.
	setup, err := r.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByCode("first code")})
	if err != nil {
		t.Fatal(err)
	}
	second := modelKey(t, setup)
	done, err := r.Confirm(t.Context(), "alice", setup.Token, r.code(second))
	if err != nil || done.Codes.Len() != 0 {
		t.Fatalf("%d codes, %v", done.Codes.Len(), err)
	}
	renewed, err := r.RenewCodes(t.Context(), "alice", enrollment.ByCode(r.code(key)))
	if err != nil || renewed.Codes.Len() != recovery.DefaultCount {
		t.Fatal(err)
	}
	for _, old := range []string{"first code", "second code"} {
		before := r.record("alice")
		_, err = r.answer("alice", old)
		r.denied(err, enrollment.ReasonMalformedCode) // as for everybody
		if r.record("alice").Version != before.Version {
			t.Error("it was counted")
		}
	}

	r.move("bob", hashes...)
	if err := r.Disable(t.Context(), "bob", enrollment.ByCode("first code")); err != nil {
		t.Fatal(err)
	}
	_, err = r.Verify(t.Context(), "bob", "x", "second code")
	r.denied(err, enrollment.ReasonMalformedCode)
	if s := r.status("bob"); s.CodesTotal != 0 || s.State != store.Disabled {
		t.Errorf("the status is %+v", s)
	}

	// A foreign code shows nothing.
	kept := newMoveRig(t, func(c *enrollment.Config) { c.KeepCodes = true })
	kept.move("alice", hashes...)
	for _, p := range []enrollment.Proof{enrollment.ByCode("first code"), enrollment.ByCode("123456"), {}} {
		_, err := kept.RecoveryCodes(t.Context(), "alice", p)
		kept.denied(err, enrollment.ReasonCodesNotKept)
	}
	if left := kept.status("alice").CodesLeft; left != 2 {
		t.Errorf("%d codes left", left)
	}
}

// Where an account has no codes of another system, a text that is no code is
// neither counted nor written. Looking at the account leaves a line in the log.
func TestMalformedWithoutImportedCodes(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	r.move("alice")
	r.lines()
	before := r.record("alice")
	for typed, logged := range map[string]bool{"hello": false, "hello world": true, strings.Repeat("x", 65): false, "a\x00bcdefg": false} {
		for range 10 {
			_, err := r.answer("alice", typed)
			r.denied(err, enrollment.ReasonMalformedCode)
		}
		if text := r.lines(); strings.Contains(text, "malformed_code") != logged || strings.Contains(text, "hello") {
			t.Errorf("%q: the log says %q", typed, text)
		}
	}
	if r.record("alice").Version != before.Version || len(r.status("alice").Locks) > 0 {
		t.Error("it was counted")
	}
	_, err := r.Verify(t.Context(), "nobody", "x", "hello world")
	r.denied(err, enrollment.ReasonMalformedCode)
}

// Wrong ones are throttled as recovery codes are, and the app goes on working.
func TestImportedCodesAreThrottled(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key := r.move("alice", summed("first code")...)
	for i := range 5 {
		_, err := r.answer("alice", fmt.Sprintf("hello world %d", i))
		r.denied(err, enrollment.ReasonWrongCode)
	}
	for _, typed := range []string{"hello world", "first code", "ABCD-EFGH-JKMN-PQRS"} {
		_, err := r.answer("alice", typed)
		r.denied(err, enrollment.ReasonLocked)
	}
	if e := r.told(); len(e) != 1 || e[0].Kind != enrollment.EventLocked || e[0].Factor != enrollment.FactorRecovery {
		t.Errorf("told: %+v", e)
	}
	if _, err := r.answer("alice", r.code(key)); err != nil {
		t.Error(err)
	}
	r.clock.Advance(time.Minute)
	if _, err := r.answer("alice", "first code"); err != nil {
		t.Error(err)
	}
}

// TestCase19_ImportedRace: one code, thirty callers.
func TestCase19_ImportedRace(t *testing.T) {
	t.Parallel()
	for name, hashes := range map[string]func(*testing.T) [][]byte{
		"SHA-256": func(*testing.T) [][]byte { return summed("first code", "second") },
		"bcrypt":  func(t *testing.T) [][]byte { return bcrypted(t, 4, "first code", "second") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMoveRig(t)
			r.move("alice", hashes(t)...)
			r.store.barrier(30)
			got := moveRace(30, func() error {
				_, err := r.Verify(t.Context(), "alice", "x", "first code")
				return err
			})
			// What comes after the fifth used one waits.
			if got[""] != 1 || got[enrollment.ReasonReplayed] != 5 || got[enrollment.ReasonLocked] != 24 {
				t.Errorf("outcomes %v", got)
			}
			if left := r.status("alice").CodesLeft; left != 1 {
				t.Errorf("%d codes left", left)
			}
		})
	}
}

// TestCase49_ImportedLostReply: the code is used, and its Success is not lost.
func TestCase49_ImportedLostReply(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	r.move("alice", bcrypted(t, 4, "first code")...)
	r.store.loseReply()
	if ok, err := r.Verify(t.Context(), "alice", "x", "first code"); err != nil || ok.CodesLeft != 0 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
	_, err := r.Verify(t.Context(), "alice", "x", "first code")
	r.denied(err, enrollment.ReasonReplayed)
}

// Every hash is tried whichever it is, used ones included, and none while
// locked or before the form is right.
func TestImportedWorkIsConstant(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	var n atomic.Int64
	r.CountBcrypt(func() { n.Add(1) })
	r.move("alice", bcrypted(t, 4, "first code", "second code", "third code")...)
	for _, tt := range []struct {
		typed string
		want  enrollment.Reason
		tries int64
	}{
		{"no such code", enrollment.ReasonWrongCode, 3},
		{"first code", "", 3},
		{"third code", "", 3},
		{"first code", enrollment.ReasonReplayed, 3},
		{"no such code", enrollment.ReasonWrongCode, 3},
		{"short", enrollment.ReasonMalformedCode, 0},
		{"123456", enrollment.ReasonWrongCode, 0}, // an app's
		{"second code", "", 3},
		{"second code", enrollment.ReasonReplayed, 3},
		{"no such code", enrollment.ReasonWrongCode, 3},
		{"no such code", enrollment.ReasonWrongCode, 3},
		{"no such code", enrollment.ReasonWrongCode, 3},
		{"no such code", enrollment.ReasonWrongCode, 3},
		{"no such code", enrollment.ReasonLocked, 0},
	} {
		n.Store(0)
		_, err := r.Verify(t.Context(), "alice", "x", tt.typed)
		r.denied(err, tt.want)
		if n.Load() != tt.tries {
			t.Errorf("%q: %d hashes were tried, want %d", tt.typed, n.Load(), tt.tries)
		}
	}
}

// TestCase50_ImportedGate: guesses on one imported account kept every processor
// busy.
func TestCase50_ImportedGate(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	var tries atomic.Int64
	r.CountBcrypt(func() { tries.Add(1) })
	r.move("victim", bcrypted(t, 6, "first code", "second code", "third code", "fourth code")...)
	r.move("other", bcrypted(t, 6, "another code")...)
	var got map[enrollment.Reason]int
	var all sync.WaitGroup
	started := make(chan struct{}, 300)
	all.Go(func() {
		got = moveRace(300, func() error {
			started <- struct{}{}
			_, err := r.Verify(t.Context(), "victim", "x", "no such code")
			return err
		})
	})
	for range 100 {
		<-started
	}
	if _, err := r.Verify(t.Context(), "other", "x", "another code"); err != nil {
		t.Errorf("another account was not served: %v", err)
	}
	all.Wait()
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 295 {
		t.Errorf("outcomes %v, want 5 wrong and 295 locked", got)
	}
	if n := tries.Load(); n != 5*4+1 {
		t.Errorf("%d hashes were tried for 5 guesses and another account", n)
	}
}

// TestCase50_ImportedLeavesRoom: however many imported accounts are guessed at,
// half of the slots are left for codes that take a single derivation.
func TestCase50_ImportedLeavesRoom(t *testing.T) {
	t.Parallel()
	slots := runtime.GOMAXPROCS(0)
	if slots < 2 {
		t.Skip("there is one slot")
	}
	hashes := bcrypted(t, 4, "first code")
	synctest.Test(t, func(t *testing.T) {
		r := newMoveRig(t, func(c *enrollment.Config) {
			c.RecoveryScheme = recovery.Argon2id
			c.RecoveryCodes = recovery.MinCount
		})
		setup, err := r.Begin(t.Context(), "other", enrollment.BeginOptions{Account: "other"})
		if err != nil {
			t.Fatal(err)
		}
		done, err := r.Confirm(t.Context(), "other", setup.Token, r.code(modelKey(t, setup)))
		if err != nil {
			t.Fatal(err)
		}
		var running atomic.Int64
		release := make(chan struct{})
		r.CountBcrypt(func() {
			running.Add(1)
			<-release
		})
		var all sync.WaitGroup
		for i := range slots + 1 {
			user := fmt.Sprint("victim", i)
			r.move(user, hashes...)
			all.Go(func() {
				_, err := r.Verify(t.Context(), user, "x", "no such code")
				if modelReason(err) != enrollment.ReasonWrongCode {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // until everybody works or waits
		if _, err := r.Verify(t.Context(), "other", "x", done.Codes.Reveal()[0]); err != nil {
			t.Error(err)
		}
		if n := running.Load(); int(n) != slots/2 {
			t.Errorf("%d of %d slots are taken", n, slots)
		}
		close(release)
		all.Wait()
	})
}

// What is slow comes before the time that the store has: on a machine that is
// overloaded, a code that was right must still be stored.
func TestSlowWorkLeavesTheStoreItsTime(t *testing.T) {
	t.Parallel()
	hashes := bcrypted(t, 4, "first code")
	synctest.Test(t, func(t *testing.T) {
		r := newMoveRig(t)
		r.move("alice", hashes...)
		r.CountBcrypt(func() { time.Sleep(time.Minute) })
		if ok, err := r.Verify(t.Context(), "alice", "x", "first code"); err != nil || ok.CodesLeft != 0 {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
	})
}

// TestCase38_HostileBcrypt: a record asked for days of bcrypt.
func TestCase38_HostileBcrypt(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	hash := []byte("$2b$04$" + strings.Repeat("a", 53))
	r.move("alice", hash)
	r.CountBcrypt(func() { t.Error("it was asked") })
	hostile := &moveSealer{Ring: r.ring, change: func(b []byte) []byte {
		return bytes.Replace(b, hash[:7], []byte("$2b$31$"), 1)
	}}
	g, err := enrollment.New(r.store, hostile, r.config)
	if err != nil {
		t.Fatal(err)
	}
	g.CountBcrypt(func() { t.Error("it was asked") })
	if _, err := g.Verify(t.Context(), "alice", "x", "no such code"); !errors.Is(err, enrollment.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// A moveSealer changes what it has opened.
type moveSealer struct {
	*keyring.Ring
	change func([]byte) []byte
}

func (s *moveSealer) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	b, err := s.Ring.Open(ctx, scope, binding, sealed)
	if err != nil {
		return nil, err
	}
	return s.change(b), nil
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	for _, user := range []string{"nobody", "waiting", "disabled"} {
		switch user {
		case "waiting":
			if _, err := r.Begin(t.Context(), user, enrollment.BeginOptions{Account: user}); err != nil {
				t.Fatal(err)
			}
		case "disabled":
			key := r.move(user)
			if err := r.Disable(t.Context(), user, enrollment.ByCode(r.code(key))); err != nil {
				t.Fatal(err)
			}
		}
		r.told()
		out, err := r.Admin("carol", "x").Export(t.Context(), user)
		r.denied(err, enrollment.ReasonNotEnrolled)
		if len(out.Reveal()) != 0 || len(r.told()) != 0 {
			t.Errorf("%s: something came out", user)
		}
	}
	r.move("alice")
	_, err := r.Admin("alice", "x").Export(t.Context(), "alice")
	r.denied(err, enrollment.ReasonOwnAccount)

	// Nothing is given away that was not noted.
	f := func(context.Context, store.Record, int64) error { return errors.New("the disk is full") }
	r.store.save.Store(&f)
	if out, err := r.Admin("carol", "x").Export(t.Context(), "alice"); err == nil || len(out.Reveal()) != 0 {
		t.Errorf("%d authenticators without a note, %v", len(out.Reveal()), err)
	}
}

// TestCase55_Export: whatever prints an export shows nothing of it.
func TestCase55_Export(t *testing.T) {
	t.Parallel()
	r := newMoveRig(t)
	key := r.move("alice", summed("first code")...)
	out, err := r.Admin("carol", "x").Export(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	raw := key.Secret().Reveal()
	canaries := []string{
		key.Secret().Base32(), string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), strings.Trim(fmt.Sprint(raw), "[]"),
	}
	type host struct {
		out  enrollment.Export
		p    *enrollment.Export
		list []enrollment.ExportedAuthenticator
	}
	h := host{out, &out, out.Reveal()}
	for _, x := range []any{out, &out, h, &h, []host{h}, map[string]host{"x": h}, out.Reveal(), enrollment.Export{}} {
		var texts []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%b", "%e", "%U"} {
			texts = append(texts, fmt.Sprintf(verb, x))
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
		texts = append(texts, b.String())
		if j, err := json.Marshal(x); err == nil {
			texts = append(texts, string(j))
		}
		for _, text := range texts {
			for i, c := range canaries {
				if strings.Contains(text, c) {
					t.Errorf("%T shows canary %d", x, i)
				}
			}
		}
	}
	if j, err := json.Marshal(out); err == nil {
		t.Errorf("it marshals silently: %s", j)
	}
	if out.String() != out.GoString() || out.LogValue().String() != out.String() || !strings.Contains(out.String(), "redacted") {
		t.Errorf("it shows as %q", out.String())
	}
	told, err := json.Marshal(r.told())
	if err != nil {
		t.Fatal(err)
	}
	text := r.lines() + string(told)
	for i, c := range canaries {
		if strings.Contains(text, c) {
			t.Errorf("the log or an event shows canary %d", i)
		}
	}
}
