package features

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// X16: the operator fits how long and how many devices are trusted. What an account
// has is kept, also where another node's limits are lower.
func TestFeatureX16_TrustThatFits(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	receipt := alice.Receipt()
	trust := func(g *enrollment.Guard) (enrollment.TrustedDevice, error) {
		return g.Devices().Trust(t.Context(), "alice", receipt, "laptop")
	}
	trusted := func(g *enrollment.Guard, d enrollment.TrustedDevice) bool {
		got, err := g.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: d.Token})
		k.Must(err)
		return got.Waived == enrollment.FactorTrustedDevice
	}
	have := func(want int) {
		t.Helper()
		if got := k.Status("alice").Devices; got != want {
			t.Errorf("%d devices are trusted, want %d", got, want)
		}
	}
	most := k.Node(func(c *enrollment.Config) { c.MaxDevices, c.DeviceTTL = 10, 90*24*time.Hour })
	least := k.Node(func(c *enrollment.Config) { c.MaxDevices, c.DeviceTTL = 1, time.Hour })
	none := k.Node(func(c *enrollment.Config) { c.MaxDevices = -1 })

	var all []enrollment.TrustedDevice
	for range 10 {
		d, err := trust(most)
		k.Must(err)
		if want := k.Now().Add(90 * 24 * time.Hour); !d.Device.Expires.Equal(want) {
			t.Errorf("trusted until %v, want %v", d.Device.Expires, want)
		}
		all = append(all, d)
	}
	have(10)
	for _, d := range all { // each is worth what it was given for
		if !trusted(least, d) || trusted(none, d) || !trusted(most, d) {
			t.Error("trust depends on limits that hold for what is added")
		}
	}
	k.Unchanged("alice", func() {
		_, err := trust(none)
		proving.Want(t, err, enrollment.ReasonTrustNotAllowed)
	})
	short, err := trust(least) // one makes room for it, and the others stay
	k.Must(err)
	if !short.Device.Expires.Equal(k.Now().Add(time.Hour)) || trusted(most, all[0]) || !trusted(most, all[1]) {
		t.Error("another than the oldest has made room, or trust lasts longer")
	}
	have(10)
	k.Pass(time.Hour)
	if trusted(most, short) || !trusted(least, all[1]) {
		t.Error("trust does not end when it was to")
	}
	have(9)
	k.Pass(90*24*time.Hour - time.Hour)
	have(0)
}

// X16: the operator says how many authenticators an account can have.
func TestFeatureX16_AuthenticatorsThatFit(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	one := k.Node(func(c *enrollment.Config) { c.MaxAuthenticators = 1 })
	receipt := alice.Receipt()
	begin := func(g *enrollment.Guard, replace string) (enrollment.Setup, error) {
		return g.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Replace: replace, Proof: enrollment.ByReceipt(receipt)})
	}
	k.Unchanged("alice", func() {
		_, err := begin(one, "")
		proving.Want(t, err, enrollment.ReasonTooManyAuthenticators)
	})
	setup, err := begin(k.Guard, "") // begun where it is allowed
	k.Must(err)
	app := proving.KeyOf(t, setup)
	_, err = one.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
	proving.Want(t, err, enrollment.ReasonTooManyAuthenticators)
	k.Confirm("alice", setup, app)
	// Both work where there can be one, and one of them can be replaced.
	for _, key := range []totp.Key{alice.Key, app} {
		ok, err := one.Verify(t.Context(), "alice", "step-up", k.Code(key))
		k.Must(err)
		if ok.Factor != enrollment.FactorTOTP {
			t.Errorf("verified by %q", ok.Factor)
		}
		k.NextCode(key)
	}
	replaced := k.Status("alice").Authenticators[0].ID
	receipt = alice.Receipt()
	setup, err = begin(one, replaced)
	k.Must(err)
	_, err = one.Confirm(t.Context(), "alice", setup.Token, k.Code(proving.KeyOf(t, setup)))
	k.Must(err)
	if list := k.Status("alice").Authenticators; len(list) != 2 || slices.ContainsFunc(list, func(x enrollment.Authenticator) bool { return x.ID == replaced }) {
		t.Errorf("after the replacement: %+v", list)
	}

	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: app}, {Key: proving.KeyOf(t, setup)}}}
	proving.Want(t, one.Admin("root", "moving").Import(t.Context(), "bob", im), enrollment.ReasonTooManyAuthenticators)
	k.Must(k.Guard.Admin("root", "moving").Import(t.Context(), "bob", im))
}

// X16: the operator says how many messages a day may bring.
func TestFeatureX16_MessagesThatFit(t *testing.T, open proving.Open) {
	for limit, want := range map[int]int{0: 5, 1: 1, 10: 10} {
		k := proving.Over(t, open(t), func(c *enrollment.Config) { c.MaxMessages = limit })
		user := fmt.Sprint("user with ", limit)
		u := k.Enroll(user)
		p := k.Post()
		p.Bound(user, enrollment.ByCode(u.Code()))
		sent, before := 0, k.Now()
		for range 12 {
			_, err := p.Send(t.Context(), enrollment.PurposeSignIn, k.Challenge(user))
			if err == nil {
				sent++
			} else if d := proving.Want(t, err, enrollment.ReasonTooManyMessages); !d.RetryAt.Equal(before.Add(24 * time.Hour)) {
				t.Errorf("after %d: try again at %v", sent, d.RetryAt)
			}
			k.Pass(11 * time.Minute) // until the code is good no more
		}
		if sent != want {
			t.Errorf("with %d: %d messages in a day, want %d", limit, sent, want)
		}
		// A node that allows fewer refuses, and one that allows more does not.
		for node, reason := range map[int]enrollment.Reason{1: enrollment.ReasonTooManyMessages, want: enrollment.ReasonTooManyMessages} {
			m := k.Node(func(c *enrollment.Config) { c.MaxMessages = node }).Messages()
			_, err := m.Send(t.Context(), enrollment.PurposeSignIn, k.Challenge(user))
			proving.Want(t, err, reason)
		}
		if want < 10 {
			m := k.Node(func(c *enrollment.Config) { c.MaxMessages = want + 1 }).Messages()
			_, err := m.Send(t.Context(), enrollment.PurposeSignIn, k.Challenge(user))
			proving.Want(t, err, "")
		}
	}
}

// X16: the operator leaves out time steps. Every check of an app code has the same
// window, and a used code stays used on a node that has another one.
func TestFeatureX16_WindowThatFits(t *testing.T, open proving.Open) {
	right := map[totp.Window][]int{
		totp.LookBothWays:  {-1, 0, 1},
		totp.LookBehind:    {-1, 0},
		totp.LookAhead:     {0, 1},
		totp.LookAtCurrent: {0},
	}
	for window, steps := range right {
		for step := -2; step <= 2; step++ {
			k := proving.Over(t, open(t), func(c *enrollment.Config) { c.Window = window })
			user := fmt.Sprintf("window %d, step %d", window, step)
			want, atSetup := enrollment.Reason(""), enrollment.Reason("")
			if !slices.Contains(steps, step) {
				want, atSetup = enrollment.ReasonWrongCode, enrollment.ReasonClockSkew
			}
			setup, app := k.Begin(user, enrollment.BeginOptions{})
			_, err := k.Guard.Confirm(t.Context(), user, setup.Token, k.Code(app, step))
			proving.Want(t, err, atSetup)
			if err != nil {
				k.Confirm(user, setup, app)
			}
			k.Pass(5 * time.Minute)
			_, err = k.Answer(k.Challenge(user), k.Code(app, step))
			proving.Want(t, err, want)
			k.Pass(5 * time.Minute)
			code := k.Code(app, step)
			_, err = k.Guard.Verify(t.Context(), user, "step-up", code)
			proving.Want(t, err, want)
			if want == "" {
				for other := range right {
					node := k.Node(func(c *enrollment.Config) { c.Window = other })
					_, err := node.Verify(t.Context(), user, "step-up", code)
					proving.Want(t, err, enrollment.ReasonReplayed)
				}
			}
			k.Pass(5 * time.Minute)
			err = k.Guard.Disable(t.Context(), user, enrollment.ByCode(k.Code(app, step)))
			proving.Want(t, err, want)
		}
	}
}
