package enrollment_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestNewNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	for field, c := range map[string]enrollment.Config{
		"Config.Issuer":         {},
		"Config.Issuer: ":       {Issuer: "a:b"},
		"Config.Namespace":      {Issuer: "Acme", Namespace: strings.Repeat("n", 64+1)},
		"Config.Params":         {Issuer: "Acme", Params: totp.Params{Digits: 10}},
		"Config.Params: ":       {Issuer: "Acme", Params: totp.Params{Period: time.Second}},
		"Config.RecoveryCodes":  {Issuer: "Acme", RecoveryCodes: recovery.MinCount - 1},
		"Config.RecoveryCodes ": {Issuer: "Acme", RecoveryCodes: recovery.MaxCount + 1},
		"Config.RecoveryScheme": {Issuer: "Acme", RecoveryScheme: 99},
		"Config.Window":         {Issuer: "Acme", Window: totp.LookAtCurrent + 1},

		"Config.MaxAuthenticators":  {Issuer: "Acme", MaxAuthenticators: -1},
		"Config.MaxAuthenticators ": {Issuer: "Acme", MaxAuthenticators: enrollment.MaxAuthenticators + 1},
		"Config.MaxDevices":         {Issuer: "Acme", MaxDevices: 11},
		"Config.DeviceTTL":          {Issuer: "Acme", DeviceTTL: -1},
		"Config.DeviceTTL ":         {Issuer: "Acme", DeviceTTL: time.Hour - 1},
		"Config.DeviceTTL  ":        {Issuer: "Acme", DeviceTTL: 90*24*time.Hour + 1},
		"Config.MaxMessages":        {Issuer: "Acme", MaxMessages: -1},
		"Config.MaxMessages ":       {Issuer: "Acme", MaxMessages: 11},

		"Config.SetupTTL":    {Issuer: "Acme", SetupTTL: time.Minute - 1},
		"Config.SetupTTL ":   {Issuer: "Acme", SetupTTL: 24*time.Hour + 1},
		"Config.ResetWait":   {Issuer: "Acme", ResetWait: -1},
		"Config.ResetWait ":  {Issuer: "Acme", ResetWait: 24*time.Hour - 1},
		"Config.ResetWait  ": {Issuer: "Acme", ResetWait: 30*24*time.Hour + 1},
		"Config.AutoReset":   {Issuer: "Acme", AutoReset: true},
	} {
		g, err := enrollment.New(memory.New(), keys, c)
		if g != nil || err == nil || !strings.Contains(err.Error(), strings.TrimSpace(strings.TrimSuffix(field, ": "))) {
			t.Errorf("%s: New = %v, %v", field, g, err)
		}
	}
	if _, err := enrollment.New(nil, keys, enrollment.Config{Issuer: "Acme"}); err == nil {
		t.Error("a nil store is taken")
	}
	if _, err := enrollment.New(memory.New(), nil, enrollment.Config{Issuer: "Acme"}); err == nil {
		t.Error("a nil sealer is taken")
	}
}

// A user id that no store could keep is the host's mistake, not the user's.
func TestUserIDsOutOfBounds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	ctx := t.Context()
	for _, id := range []string{"", strings.Repeat("x", store.MaxUserID+1), "a\x00b", "\xff"} {
		_, begin := k.Guard.Begin(ctx, id, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
		_, signIn := k.Guard.SignIn(ctx, id, enrollment.SignInOptions{})
		_, verify := k.Guard.Verify(ctx, id, "x", "123456")
		_, status := k.Guard.Status(ctx, id)
		_, codes := k.Guard.RenewCodes(ctx, id, enrollment.Proof{})
		for i, err := range []error{
			begin, signIn, verify, status, codes,
			k.Guard.Cancel(ctx, id), k.Guard.Disable(ctx, id, enrollment.Proof{}),
			k.Guard.Remove(ctx, id, "0000000000000001", enrollment.Proof{}),
		} {
			if !errors.Is(err, store.ErrInvalid) || errors.As(err, new(*enrollment.Denied)) {
				t.Errorf("id of %d bytes, call %d: %v", len(id), i, err)
			}
		}
	}
}

// An invalid purpose is an error before anything is loaded.
func TestPurposesOutOfBounds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	three := k.Guard.ThreeCodes()
	for _, purpose := range []enrollment.Purpose{"", enrollment.Purpose(strings.Repeat("x", 65)), "a\n", "\xff", enrollment.PurposeSetup} {
		challenge := k.Challenge("alice")
		k.Store.Reset()
		for name, call := range map[string]func() (any, error){
			"Answer": func() (any, error) { return k.Guard.Answer(t.Context(), purpose, challenge, alice.Code()) },
			"Verify": func() (any, error) { return k.Guard.Verify(t.Context(), "alice", purpose, alice.Code()) },
			"ThreeCodes.Answer": func() (any, error) {
				return three.Answer(t.Context(), purpose, challenge, []string{"000000", "000001", "000002"})
			},
			"ThreeCodes.Verify": func() (any, error) {
				return three.Verify(t.Context(), "alice", purpose, []string{"000000", "000001", "000002"})
			},
			"RecentlyVerified": func() (any, error) {
				return k.Guard.RecentlyVerified(t.Context(), "alice", purpose, enrollment.Receipt{}, time.Minute)
			},
			"Send": func() (any, error) { return k.Guard.Messages().Send(t.Context(), purpose, challenge) },
		} {
			got, err := call()
			if err == nil || !strings.Contains(err.Error(), "purpose") || errors.As(err, new(*enrollment.Denied)) || !reflect.ValueOf(got).IsZero() {
				t.Errorf("%s for %q: %v, %v", name, purpose, got, err)
			}
		}
		if n := k.Store.Calls(); n != 0 {
			t.Errorf("%q: %d calls of the store", purpose, n)
		}
	}
}

func TestArgumentsOutOfBounds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	ctx := t.Context()
	long := strings.Repeat("x", 65)
	if _, err := k.Guard.Verify(ctx, "alice", enrollment.Purpose(long[:64]), k.Code(alice.Key)); err != nil {
		t.Errorf("the longest purpose: %v", err)
	}
	calls := map[string]func() error{
		"an image": func() error {
			_, err := k.Guard.Begin(ctx, "bob", enrollment.BeginOptions{Account: "a", Image: "http://x", Proof: enrollment.ByReauth("password")})
			return err
		},
		"no purpose": func() error { _, err := k.Guard.Verify(ctx, "alice", "", alice.Code()); return err },
		"a long purpose": func() error {
			_, err := k.Guard.Answer(ctx, enrollment.Purpose(long), enrollment.Challenge{}, "")
			return err
		},
		"a purpose's tab": func() error {
			_, err := k.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{Purpose: "\t"})
			return err
		},
		"a long channel": func() error {
			_, err := k.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{Channel: long})
			return err
		},
		"a method of none": func() error { return k.Guard.Disable(ctx, "alice", enrollment.ByReauth("")) },
		"a long method":    func() error { return k.Guard.Disable(ctx, "alice", enrollment.ByReauth(long)) },
	}
	for name, call := range calls {
		if err := call(); err == nil || errors.As(err, new(*enrollment.Denied)) {
			t.Errorf("%s: %v, want an error that is no Denied", name, err)
		}
	}
	for _, name := range []string{long, "\n", "\xff"} {
		_, err := k.Guard.Begin(ctx, "bob", enrollment.BeginOptions{Account: "a", Name: name, Proof: enrollment.ByReauth("password")})
		proving.Want(t, err, enrollment.ReasonInvalidName)
	}
	for _, id := range []string{"x", "00", strings.Repeat("0", 18), "0000000000000009"} {
		_, err := k.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Replace: id, Proof: enrollment.ByCode(alice.Code())})
		var denied *enrollment.Denied
		if !errors.As(err, &denied) || denied.Reason != enrollment.ReasonUnknownAuthenticator {
			t.Errorf("authenticator %q: %v", id, err)
		}
	}
}

// A store that says "not there" because the request has no time left does not
// switch the second factor off.
func TestEndOfContextIsNotAbsence(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	ctx, cancel := context.WithCancel(t.Context())
	k.Store.Before(proving.Load, func(_ context.Context, c *proving.Call) {
		cancel()
		c.Err = store.ErrNotFound
	})
	d, err := k.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	if d.Next != enrollment.Refuse || !errors.Is(err, context.Canceled) {
		t.Errorf("SignIn = %v, %v", d.Next, err)
	}
	if s, err := k.Guard.Status(ctx, "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("Status = %+v, %v", s, err)
	}
}

// A Guard, or what belongs to one, that nobody has made says so.
func TestZeroValuesSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	zero, err := enrollment.New(memory.New(), nil, enrollment.Config{Issuer: "Acme"})
	if err == nil {
		t.Fatal("a Guard without a Sealer")
	}
	if _, err := enrollment.NewDirectory(new(enrollment.Guard), memory.New()); err == nil {
		t.Error("a Directory of a zero Guard")
	}
	values := []any{
		zero, new(enrollment.Guard), enrollment.Admin{}, zero.Admin("root", "x"), new(enrollment.Guard).Admin("root", "x"),
		new(enrollment.Directory), (*enrollment.Directory)(nil),
	}
	of := reflect.ValueOf(zero)
	for i := range of.NumMethod() {
		switch made := of.Method(i).Interface().(type) {
		case func() enrollment.Devices, func() enrollment.Messages, func() enrollment.ResetRequests, func() enrollment.ThreeCodes:
			part := reflect.ValueOf(made).Call(nil)[0]
			values = append(values, part.Interface(), reflect.Zero(part.Type()).Interface())
		}
	}
	if len(values) != 7+2*4 {
		t.Errorf("there are %d values", len(values))
	}
	for _, value := range values {
		v, called := reflect.ValueOf(value), 0
		for i := range v.NumMethod() {
			method := v.Type().Method(i)
			of := method.Type
			args := []reflect.Value{v}
			for j := 1; j < of.NumIn(); j++ {
				args = append(args, reflect.Zero(of.In(j)))
			}
			if len(args) < 2 || of.In(1) != reflect.TypeFor[context.Context]() {
				continue // it makes another value
			}
			called++
			args[1] = reflect.ValueOf(t.Context())
			if of.NumOut() == 0 {
				if text := panicOf(func() { method.Func.Call(args) }); !strings.Contains(text, "is zero: make one with New") {
					t.Errorf("%T.%s panics with %q", value, method.Name, text)
				}
				continue
			}
			out := method.Func.Call(args)
			last := out[len(out)-1]
			if last.Kind() == reflect.Func { // a sequence
				for _, err := range last.Seq2() {
					last = err
				}
			}
			if err, ok := last.Interface().(error); !ok || !strings.Contains(err.Error(), "is zero: make one with New") {
				t.Errorf("%T.%s: %v", value, method.Name, err)
			}
			for _, result := range out[:len(out)-1] {
				if !result.IsZero() {
					t.Errorf("%T.%s returns %v", value, method.Name, result)
				}
			}
		}
		if called < 2 {
			t.Errorf("%d methods of %T were called", called, value)
		}
	}
}
