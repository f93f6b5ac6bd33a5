package enrollment_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestImportOfAnExport: secrets come in every form that others store,
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
			k := proving.New(t)
			added := time.Date(2024, 5, 6, 7, 8, 9, 10, time.FixedZone("here", 3600))
			err := k.Guard.Admin("carol", "moving house").Import(t.Context(), "alice", enrollment.Import{
				Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "old phone", Added: added}},
			})
			if err != nil {
				t.Fatal(err)
			}
			s := k.Status("alice")
			if !s.Enabled() || len(s.Authenticators) != 1 || s.Authenticators[0].Name != "old phone" || !s.Authenticators[0].Added.Equal(added.Truncate(time.Microsecond)) {
				t.Fatalf("the status is %+v", s)
			}
			// A code of now may have been used there, and by a phone that is ahead
			// the next one. The one after that works.
			for range 2 {
				_, err = k.Answer(k.Challenge("alice"), k.Code(key))
				proving.Want(t, err, enrollment.ReasonReplayed)
				k.Pass(key.Params().Period)
			}
			if _, err := k.Answer(k.Challenge("alice"), k.Code(key)); err != nil {
				t.Fatal(err)
			}

			out, err := k.Guard.Admin("carol", "moving on").Export(t.Context(), "alice")
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
			for _, e := range k.Told() {
				if e.Actor != "carol" || !strings.HasPrefix(e.Note, "moving") || e.UserID != "alice" {
					t.Errorf("the event %+v", e)
				}
			}
			if h := k.Status("alice").History; len(h) != 2 || h[0].Kind != enrollment.EventExported || h[1].Kind != enrollment.EventImported {
				t.Errorf("the history is %+v", h)
			}

			// Elsewhere it works as well.
			moved, err := otp.NewKeyFromURL(text)
			if err != nil {
				t.Fatal(err)
			}
			k.Pass(key.Params().Period)
			var ok bool
			fips.WithoutEnforcement(func() {
				ok, err = pquerna.ValidateCustom(k.Code(key), moved.Secret(), k.Now(), pquerna.ValidateOpts{
					Period: uint(moved.Period()), Digits: moved.Digits(), Algorithm: moved.Algorithm(),
				})
			})
			if err != nil || !ok {
				t.Errorf("another system says %t, %v", ok, err)
			}
			again := proving.New(t)
			if err := again.Guard.Admin("carol", "moving in").Import(t.Context(), "alice", enrollment.Import{
				Authenticators: []enrollment.ImportedAuthenticator{{Key: list[0].Key, Name: list[0].Name, Added: list[0].Added}},
			}); err != nil {
				t.Fatal(err)
			}
			if !again.Status("alice").Enabled() {
				t.Error("it did not come in again")
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	key := proving.TheirKey(t, "alice", totp.Params{})
	one := []enrollment.ImportedAuthenticator{{Key: key}}
	var four []enrollment.ImportedAuthenticator
	for i := range 4 {
		four = append(four, enrollment.ImportedAuthenticator{Key: proving.TheirKey(t, fmt.Sprint(i), totp.Params{})})
	}
	named := func(name string) enrollment.Import {
		return enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: name}}}
	}
	hashed := func(hashes ...[]byte) enrollment.Import {
		return enrollment.Import{Authenticators: one, RecoveryHashes: proving.Hashes(hashes...)}
	}
	var many [][]byte
	for i := range enrollment.MaxImportedCodes + 1 {
		many = append(many, proving.Summed(fmt.Sprint("code", i))...)
	}
	dear := []byte("$2b$15$" + strings.Repeat("a", 53))
	tests := []struct {
		name  string
		admin enrollment.Admin
		im    enrollment.Import
		want  enrollment.Reason // proving.Fault for the mistake of a programmer
		says  string
	}{
		{"nothing", k.Guard.Admin("carol", "x"), enrollment.Import{}, proving.Fault, "Authenticators"},
		{"four", k.Guard.Admin("carol", "x"), enrollment.Import{Authenticators: four}, proving.Fault, "Authenticators"},
		{"the zero key", k.Guard.Admin("carol", "x"), enrollment.Import{Authenticators: make([]enrollment.ImportedAuthenticator, 1)}, proving.Fault, "Authenticators"},
		{"a secret twice", k.Guard.Admin("carol", "x"), enrollment.Import{Authenticators: append(one[:1:1], one[0])}, enrollment.ReasonDuplicateSecret, ""},
		{"a long name", k.Guard.Admin("carol", "x"), named(strings.Repeat("n", enrollment.MaxName+1)), enrollment.ReasonInvalidName, ""},
		{"a control character", k.Guard.Admin("carol", "x"), named("a\nb"), enrollment.ReasonInvalidName, ""},
		{"seventeen codes", k.Guard.Admin("carol", "x"), hashed(many...), proving.Fault, "RecoveryHashes"},
		{"a code twice", k.Guard.Admin("carol", "x"), hashed(many[0], many[1], many[0]), proving.Fault, "RecoveryHashes"},
		{"half a hash", k.Guard.Admin("carol", "x"), hashed(many[0][:16]), proving.Fault, "RecoveryHashes"},
		{"a hash in hex", k.Guard.Admin("carol", "x"), hashed([]byte(hex.EncodeToString(many[0]))), proving.Fault, "RecoveryHashes"},
		{"too dear a hash", k.Guard.Admin("carol", "x"), hashed(dear), proving.Fault, "RecoveryHashes"},
		{"no actor", k.Guard.Admin("", "x"), hashed(), proving.Fault, "actor"},
		{"no reason", k.Guard.Admin("carol", ""), hashed(), proving.Fault, "reason"},
		{"oneself", k.Guard.Admin("alice", "x"), hashed(), enrollment.ReasonOwnAccount, ""},
	}
	for _, tt := range tests {
		err := tt.admin.Import(t.Context(), "alice", tt.im)
		if got := proving.ReasonOf(err); got != tt.want || tt.says != "" && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
		if _, err := k.Store.Straight.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%s: a record was written, %v", tt.name, err)
		}
	}

	k.TakeOver("alice", many[:enrollment.MaxImportedCodes]...)
	before := k.Record("alice")
	for _, im := range []enrollment.Import{{Authenticators: one}, {Authenticators: four[:1]}} {
		proving.Want(t, k.Guard.Admin("carol", "x").Import(t.Context(), "alice", im), enrollment.ReasonAlreadyEnrolled)
	}
	if after := k.Record("alice"); after.Version != before.Version {
		t.Error("a refused import was written")
	}
	if s := k.Status("alice"); s.Authenticators[0].Name != "Authenticator" || s.CodesLeft != enrollment.MaxImportedCodes {
		t.Errorf("the status is %+v", s)
	}
}

// A name of the longest length is kept as it is.
func TestImportKeepsTheLongestName(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	name := strings.Repeat("n", enrollment.MaxName)
	err := k.Guard.Admin("carol", "x").Import(t.Context(), "alice", enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{
		{Key: proving.TheirKey(t, "alice", totp.Params{}), Name: name},
	}})
	if err != nil {
		t.Fatal(err)
	}
	status, err := k.Guard.Status(t.Context(), "alice")
	if err != nil || status.Authenticators[0].Name != name {
		t.Errorf("%+v, %v", status.Authenticators, err)
	}
}

func TestImportKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	hashes := proving.Summed("first code", "second code")
	k.Store.Before(proving.Save, func(context.Context, *proving.Call) { clear(hashes[0]) }) // while it is written
	k.TakeOver("alice", hashes...)
	if _, err := k.Answer(k.Challenge("alice"), "first code"); err != nil {
		t.Error(err)
	}
}

// last returns the latest operation that was observed.
func last(k *proving.Kit) enrollment.Observation {
	seen := k.Observed()
	if len(seen) == 0 {
		return enrollment.Observation{}
	}
	return seen[len(seen)-1]
}

// Codes of another system work as they were typed there, and once.
func TestImportedCodes(t *testing.T) {
	t.Parallel()
	const numeric, hyphens = "83920174", "6031-9927"
	ours := "ABCD-EFGH-JKMN-PQRS" // a code of theirs that looks like one of ours
	hashes := slices.Concat(proving.Bcrypted(t, 4, "abd34-1b24d", "k2m9a-00x1z"), proving.Summed("aBcDeFgHiJ-KlMnOpQrSt", numeric, hyphens, ours, "äöü-ÄÖÜ"))
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
			k := proving.New(t, func(c *enrollment.Config) { c.ReplenishCodes = true })
			k.TakeOver("alice", hashes...)
			before := k.Record("alice")
			ok, err := k.Answer(k.Challenge("alice"), tt.typed)
			proving.Want(t, err, tt.want)
			if written := k.Record("alice").Version != before.Version; written == (tt.want == enrollment.ReasonMalformedCode) {
				t.Errorf("written: %t", written)
			}
			if tt.want != "" {
				if left := k.Status("alice").CodesLeft; left != len(hashes) {
					t.Errorf("%d codes left", left)
				}
				return
			}
			if ok.Factor != enrollment.FactorRecovery || ok.CodesLeft != len(hashes)-1 || !ok.NewCode.IsZero() || ok.Authenticator != "" {
				t.Errorf("the Success is %+v", ok)
			}
			if o := last(k); o.Operation != "answer" || o.Outcome != "ok" || o.Factor != enrollment.FactorRecovery {
				t.Errorf("observed: %+v", o)
			}
			if e := k.Told(); len(e) != 1 || e[0].Kind != enrollment.EventRecoveryUsed {
				t.Errorf("told: %+v", e)
			}
			_, err = k.Answer(k.Challenge("alice"), tt.typed)
			proving.Want(t, err, enrollment.ReasonReplayed)
			if o := last(k); o.Factor != enrollment.FactorRecovery || o.Outcome != string(enrollment.ReasonReplayed) {
				t.Errorf("observed: %+v", o)
			}
			text := k.Log()
			for _, canary := range []string{strings.TrimSpace(tt.typed), numeric, "$2a$", hex.EncodeToString(hashes[2])} {
				if strings.Contains(text, canary) {
					t.Errorf("the log shows %q", canary)
				}
			}
		})
	}
}

// The next set ends all of them, and so does disabling.
func TestImportedCodesGiveWay(t *testing.T) {
	t.Parallel()
	hashes := proving.Summed("first code", "second code")
	k := proving.New(t)
	key := k.TakeOver("alice", hashes...).Key
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
	if err != nil || !slices.Equal(d.Factors, []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorRecovery}) {
		t.Errorf("factors %v, %v", d.Factors, err)
	}
	if s := k.Status("alice"); s.CodesLeft != 2 || s.CodesTotal != 2 {
		t.Errorf("%d of %d codes", s.CodesLeft, s.CodesTotal)
	}

	// A second phone makes no set as long as some are left.
	setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByCode("first code")})
	if err != nil {
		t.Fatal(err)
	}
	second := proving.KeyOf(t, setup)
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(second))
	if err != nil || done.Codes.Len() != 0 {
		t.Fatalf("%d codes, %v", done.Codes.Len(), err)
	}
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
	if err != nil || renewed.Codes.Len() != recovery.DefaultCount {
		t.Fatal(err)
	}
	for _, old := range []string{"first code", "second code"} {
		before := k.Record("alice")
		_, err = k.Answer(k.Challenge("alice"), old)
		proving.Want(t, err, enrollment.ReasonMalformedCode) // as for everybody
		if k.Record("alice").Version != before.Version {
			t.Error("it was counted")
		}
	}

	k.TakeOver("bob", hashes...)
	if err := k.Guard.Disable(t.Context(), "bob", enrollment.ByCode("first code")); err != nil {
		t.Fatal(err)
	}
	_, err = k.Guard.Verify(t.Context(), "bob", "x", "second code")
	proving.Want(t, err, enrollment.ReasonMalformedCode)
	if s := k.Status("bob"); s.CodesTotal != 0 || s.State != store.Disabled {
		t.Errorf("the status is %+v", s)
	}

	// An imported code shows nothing.
	kept := proving.New(t, func(c *enrollment.Config) { c.KeepCodes = true })
	kept.TakeOver("alice", hashes...)
	for _, p := range []enrollment.Proof{enrollment.ByCode("first code"), enrollment.ByCode("123456"), {}} {
		_, err := kept.Guard.RecoveryCodes(t.Context(), "alice", p)
		proving.Want(t, err, enrollment.ReasonCodesNotKept)
	}
	if left := kept.Status("alice").CodesLeft; left != 2 {
		t.Errorf("%d codes left", left)
	}
}

// Where an account has no codes of another system, a text that is no code is
// neither counted nor written. Looking at the account leaves a line in the log.
func TestMalformedWithoutImportedCodes(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.TakeOver("alice")
	k.Log()
	before := k.Record("alice")
	for typed, logged := range map[string]bool{"hello": false, "hello world": true, strings.Repeat("x", 65): false, "a\x00bcdefg": false} {
		for range 10 {
			_, err := k.Answer(k.Challenge("alice"), typed)
			proving.Want(t, err, enrollment.ReasonMalformedCode)
		}
		if text := k.Log(); strings.Contains(text, "malformed_code") != logged || strings.Contains(text, "hello") {
			t.Errorf("%q: the log says %q", typed, text)
		}
	}
	if k.Record("alice").Version != before.Version || len(k.Status("alice").Locks) > 0 {
		t.Error("it was counted")
	}
	_, err := k.Guard.Verify(t.Context(), "nobody", "x", "hello world")
	proving.Want(t, err, enrollment.ReasonMalformedCode)
}

// Wrong ones are throttled as recovery codes are, and the app goes on working.
func TestImportedCodesAreThrottled(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	key := k.TakeOver("alice", proving.Summed("first code")...).Key
	for i := range 5 {
		_, err := k.Answer(k.Challenge("alice"), fmt.Sprintf("hello world %d", i))
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	for _, typed := range []string{"hello world", "first code", "ABCD-EFGH-JKMN-PQRS"} {
		_, err := k.Answer(k.Challenge("alice"), typed)
		proving.Want(t, err, enrollment.ReasonLocked)
	}
	if e := k.Told(); len(e) != 1 || e[0].Kind != enrollment.EventLocked || e[0].Factor != enrollment.FactorRecovery {
		t.Errorf("told: %+v", e)
	}
	if _, err := k.Answer(k.Challenge("alice"), k.Code(key)); err != nil {
		t.Error(err)
	}
	k.Pass(time.Minute)
	if _, err := k.Answer(k.Challenge("alice"), "first code"); err != nil {
		t.Error(err)
	}
}

// Every hash is tried whichever it is, used ones included, and none while
// locked or before the form is right.
func TestImportedWorkIsConstant(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	var n atomic.Int64
	k.Keys.Bcrypt = func() { n.Add(1) }
	k.TakeOver("alice", proving.Bcrypted(t, 4, "first code", "second code", "third code")...)
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
		_, err := k.Guard.Verify(t.Context(), "alice", "x", tt.typed)
		proving.Want(t, err, tt.want)
		if n.Load() != tt.tries {
			t.Errorf("%q: %d hashes were tried, want %d", tt.typed, n.Load(), tt.tries)
		}
	}
}

// What is slow comes before the time that the store has: on a machine that is
// overloaded, a code that was right must still be stored.
func TestSlowWorkLeavesTheStoreItsTime(t *testing.T) {
	t.Parallel()
	hashes := proving.Bcrypted(t, 4, "first code")
	synctest.Test(t, func(t *testing.T) {
		k := proving.New(t)
		k.TakeOver("alice", hashes...)
		k.Keys.Bcrypt = func() { time.Sleep(time.Minute) }
		if ok, err := k.Guard.Verify(t.Context(), "alice", "x", "first code"); err != nil || ok.CodesLeft != 0 {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
	})
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	for _, user := range []string{"nobody", "waiting", "disabled"} {
		switch user {
		case "waiting":
			if _, err := k.Guard.Begin(t.Context(), user, enrollment.BeginOptions{Account: user, Proof: enrollment.ByReauth("password")}); err != nil {
				t.Fatal(err)
			}
		case "disabled":
			key := k.TakeOver(user).Key
			if err := k.Guard.Disable(t.Context(), user, enrollment.ByCode(k.Code(key))); err != nil {
				t.Fatal(err)
			}
		}
		k.Told()
		out, err := k.Guard.Admin("carol", "x").Export(t.Context(), user)
		proving.Want(t, err, enrollment.ReasonNotEnrolled)
		if len(out.Reveal()) != 0 || len(k.Told()) != 0 {
			t.Errorf("%s: something came out", user)
		}
	}
	k.TakeOver("alice")
	_, err := k.Guard.Admin("alice", "x").Export(t.Context(), "alice")
	proving.Want(t, err, enrollment.ReasonOwnAccount)

	// Nothing is given away that was not noted.
	k.Store.Fail(proving.Save, errors.New("the disk is full"))
	if out, err := k.Guard.Admin("carol", "x").Export(t.Context(), "alice"); err == nil || len(out.Reveal()) != 0 {
		t.Errorf("%d authenticators without a note, %v", len(out.Reveal()), err)
	}
}
