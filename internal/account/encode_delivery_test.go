package account_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// What hosts have stored must stay readable: the file never changes.
func TestGoldenDelivery(t *testing.T) {
	a := delivering(t).a
	golden(t, "v1-delivered", a)
	a, err := account.Decode(encode(t, a))
	if err != nil {
		t.Fatal(err)
	}
	if x := a.Address(); x.Channel != phone.Channel || x.To != phone.To || x.Added.IsZero() || x.Used.IsZero() {
		t.Errorf("the address is %+v", x)
	}
}

// A node of this version must not lose what a later one stores of an address and
// of a message.
func TestUnknownFieldsOfDelivery(t *testing.T) {
	t.Parallel()
	future := append([]byte{77, 0, 15}, "from the future"...)
	extend := func(b []byte) []byte { return append(bytes.Clone(b), future...) }
	extended := inDelivery(encode(t, delivering(t).a), func(b []byte) []byte {
		return extend(mapFields(b, map[byte]func([]byte) []byte{
			1: extend, // the address
			3: func(b []byte) []byte { return extend(mapFields(b, map[byte]func([]byte) []byte{6: extend})) },
		}))
	})
	if n := bytes.Count(extended, future); n != 4 {
		t.Fatalf("%d places were extended", n)
	}
	a, err := account.Decode(extended)
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, a); !bytes.Equal(got, extended) {
		t.Errorf("written back as\n%x\nwant\n%x", got, extended)
	}
}

// Damage that the seal did not catch is no other account.
func TestDamagedDelivery(t *testing.T) {
	t.Parallel()
	plain := encode(t, delivering(t).a)
	set := func(tag byte, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte {
			return mapFields(b, map[byte]func([]byte) []byte{tag: func([]byte) []byte { return v }})
		}
	}
	within := func(tag byte, f func([]byte) []byte) func([]byte) []byte {
		return func(b []byte) []byte { return mapFields(b, map[byte]func([]byte) []byte{tag: f}) }
	}
	for name, f := range map[string]func([]byte) []byte{
		"an address over no channel":    within(1, set(1)),
		"an address without a place":    within(1, set(2)),
		"an address of no time":         within(1, set(3, 1, 2, 3)),
		"a message without an id":       within(3, set(1, make([]byte, 16)...)),
		"a message with a short id":     within(3, set(1, 1, 2)),
		"a message with a short digest": within(3, set(2, 1, 2)),
		"a message that never ends":     within(3, set(4, make([]byte, 8)...)),
		"a message tried too often":     within(3, set(5, account.MaxTries)),
		"a message tried for long":      within(3, set(5, 1, 1)),
		"a message that binds nothing":  within(3, set(6)),
		"no messages":                   within(4, func(b []byte) []byte { return append(bytes.Clone(b[:16]), 0) }),
		"a short count":                 within(4, func(b []byte) []byte { return b[:16] }),
		"a long count":                  within(4, func(b []byte) []byte { return append(bytes.Clone(b), 0) }),
		"another throttle":              set(2, 1),
	} {
		if _, err := account.Decode(inDelivery(plain, f)); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}
