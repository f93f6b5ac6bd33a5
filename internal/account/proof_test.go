package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// What each kind of proof is good for: to add something, to take something away,
// and to see the recovery codes.
func TestProofs(t *testing.T) {
	t.Parallel()
	const no, yes = account.ProofNotAllowed, account.Reason("")
	code := func(w *world) account.Proof {
		return account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: code(w.t, key(w.t, 1), w.now)}}
	}
	receipt := func(f account.Factor, change func(w *world, r *account.Receipt)) func(w *world) account.Proof {
		return func(w *world) account.Proof {
			p := w.by(f)
			if change != nil {
				change(w, &p.Receipt)
			}
			return p
		}
	}
	for name, tt := range map[string]struct {
		proof             func(w *world) account.Proof
		add, remove, show account.Reason
	}{
		"none": {func(*world) account.Proof { return account.Proof{} }, account.ProofRequired, account.ProofRequired, account.ProofRequired},
		"refused by its form": {func(*world) account.Proof {
			return account.Proof{Kind: account.ReceiptProof, Refused: account.ProofInvalid}
		}, account.ProofInvalid, account.ProofInvalid, account.ProofInvalid},
		"a code": {code, yes, yes, yes},
		"a wrong code": {func(w *world) account.Proof {
			return account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: w.wrong()}}
		}, account.WrongCode, account.WrongCode, account.WrongCode},
		"a text that is no code": {func(*world) account.Proof {
			return account.Proof{Kind: account.CodeProof}
		}, account.MalformedCode, account.MalformedCode, account.MalformedCode},
		"the receipt of an app":           {receipt(account.TOTP, nil), yes, yes, yes},
		"the receipt of a recovery code":  {receipt(account.Recovery, nil), yes, yes, no},
		"the receipt of a message":        {receipt(account.Delivered, nil), no, no, no},
		"a receipt of before":             {receipt(account.TOTP, func(_ *world, r *account.Receipt) { r.Epoch[0]++ }), account.ProofInvalid, account.ProofInvalid, account.ProofInvalid},
		"a receipt of five minutes ago":   {receipt(account.TOTP, func(w *world, r *account.Receipt) { r.At = w.now.Add(-account.ReceiptTTL) }), yes, yes, yes},
		"an older one":                    {receipt(account.TOTP, func(w *world, r *account.Receipt) { r.At = w.now.Add(-account.ReceiptTTL - 1000) }), account.ProofStale, account.ProofStale, account.ProofStale},
		"one of a clock that runs ahead":  {receipt(account.TOTP, func(w *world, r *account.Receipt) { r.At = w.now.Add(time.Minute) }), yes, yes, yes},
		"one of a clock that is put back": {receipt(account.TOTP, func(w *world, r *account.Receipt) { r.At = w.now.Add(time.Minute + 1000) }), account.ProofStale, account.ProofStale, account.ProofStale},
		"re-authentication":               {func(w *world) account.Proof { return w.reauth("password") }, no, yes, no},
		"re-authentication, not allowed":  {func(w *world) account.Proof { return w.reauth("") }, no, no, no},
		"a recovery code": {func(w *world) account.Proof {
			return account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.Recovery, Scheme: recovery.Fast}}
		}, account.WrongCode, account.WrongCode, no},
	} {
		for does, change := range map[string]struct {
			want account.Reason
			do   func(w *world, m account.Moment, p account.Proof) error
		}{
			"add": {tt.add, func(w *world, m account.Moment, p account.Proof) error {
				return w.a.Begin(m, w.setup(9, account.AuthenticatorID{}), account.TicketHash{}, p)
			}},
			"remove": {tt.remove, func(w *world, m account.Moment, p account.Proof) error { return w.a.Disable(m, p) }},
			"show":   {tt.show, func(w *world, m account.Moment, p account.Proof) error { return second(w.a.Show(m, p)) }},
		} {
			w, _ := keeping(t)
			p := tt.proof(w)
			_, set := codes(t, 1)
			m := w.derived(set, recovery.Digest{}, nil)
			m.ReauthDisables = p.Method != ""
			if got := reason(change.do(w, m, p)); got != change.want {
				t.Errorf("%s, to %s: %q, want %q", name, does, got, change.want)
			}
		}
	}
}

// The first factor takes the host's word, whatever that is good for later, or
// nothing if the host says so.
func TestProofOfTheFirstSetup(t *testing.T) {
	t.Parallel()
	none := newWorld(t)
	off := newWorld(t)
	off.enroll(1)
	must(t, off.a.Disable(off.moment(), off.by(account.TOTP)))
	for name, tt := range map[string]struct {
		proof account.Proof
		want  account.Reason
	}{
		"nothing":                 {account.Proof{}, account.ProofRequired},
		"re-authentication":       {none.reauth("password"), ""},
		"a code":                  {account.Proof{Kind: account.CodeProof}, account.ProofNotAllowed},
		"a receipt":               {account.Proof{Kind: account.ReceiptProof}, account.ProofNotAllowed},
		"a receipt, no good":      {account.Proof{Kind: account.ReceiptProof, Refused: account.ProofInvalid}, account.ProofNotAllowed},
		"of an unknown kind":      {account.Proof{Kind: 99}, account.ProofNotAllowed},
		"a code, not well-formed": {account.Proof{Kind: account.CodeProof, Refused: account.MalformedCode}, account.ProofNotAllowed},
	} {
		for state, w := range map[string]*world{"none": none, "disabled": off} {
			for does, change := range map[string]func(a *account.Account, m account.Moment) error{
				"begin": func(a *account.Account, m account.Moment) error {
					return a.Begin(m, w.setup(9, account.AuthenticatorID{}), account.TicketHash{}, tt.proof)
				},
				"bind": func(a *account.Account, m account.Moment) error {
					return a.Bind(m, w.message(9, "123456"), phone, true, account.TicketHash{}, tt.proof)
				},
			} {
				m := w.at()
				m.ReauthDisables = false
				a := w.copied()
				if got := reason(change(a, m)); got != tt.want || a.Changed() != (tt.want == "") {
					t.Errorf("%s, %s by %s: %q, want %q; changed: %v", state, does, name, got, tt.want, a.Changed())
				}
				m.UnprovenSetup = true
				if got := reason(change(w.copied(), m)); got != "" {
					t.Errorf("%s, %s by %s: %q where nothing has to be proven", state, does, name, got)
				}
			}
		}
	}
}

// What is denied for another reason leaves the code good, and what is not on
// takes no code.
func TestProofIsAskedForLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	p := account.Proof{Kind: account.CodeProof, Guess: account.Guess{Factor: account.TOTP, Digits: code(t, k, w.now)}}
	for name, tt := range map[string]struct {
		err  error
		want account.Reason
	}{
		"Remove the last":  {w.a.Remove(w.moment(), account.AuthenticatorID{1}, p), account.LastAuthenticator},
		"Remove nothing":   {w.a.Remove(w.moment(), account.AuthenticatorID{7}, p), account.UnknownAuthenticator},
		"Unbind nothing":   {w.a.Unbind(w.moment(), p), account.NoAddress},
		"Show nothing":     {second(w.a.Show(w.moment(), p)), account.CodesNotKept},
		"Begin to replace": {w.a.Begin(w.at(), w.setup(2, account.AuthenticatorID{7}), account.TicketHash{}, p), account.UnknownAuthenticator},
		"Bind before the pause": {func() error {
			must(t, w.a.Bind(w.moment(), w.message(1, "123456"), phone, false, account.TicketHash{}, w.by(account.TOTP)))
			return w.a.Bind(w.moment(), w.message(2, "123456"), phone, false, account.TicketHash{}, p)
		}(), account.TooSoon},
	} {
		if got := reason(tt.err); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	mustReason(t, w.check(p.Guess.Digits), "")

	none := newWorld(t)
	mustReason(t, none.a.Disable(none.moment(), p), account.NotEnrolled)
	mustReason(t, second(none.a.Renew(none.moment(), account.Renewal{}, p)), account.NotEnrolled)
	mustReason(t, none.a.Begin(none.at(), none.setup(1, account.AuthenticatorID{}), account.TicketHash{}, p), account.ProofNotAllowed)
}

// The receipt of a renewal is as old as its proof, and good again.
func TestRenewGivesAReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	_, set := codes(t, 2)
	p := w.by(account.Recovery)
	p.Receipt.At = w.now.Add(-time.Minute)
	r, err := w.a.Renew(w.with(set), account.Renewal{}, p)
	mustReason(t, err, "")
	if r.Factor != account.Recovery || !r.At.Equal(p.Receipt.At) {
		t.Errorf("%+v", r)
	}
	mustReason(t, w.a.CheckReceipt(r, w.now, account.ReceiptTTL), "")
	mustReason(t, w.a.CheckReceipt(p.Receipt, w.now, account.ReceiptTTL), account.ProofInvalid)
}
