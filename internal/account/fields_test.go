package account_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// fields splits a list of fields.
func fields(b []byte) (parts [][]byte) {
	for len(b) > 0 {
		n := 3 + int(binary.BigEndian.Uint16(b[1:]))
		parts = append(parts, b[:n])
		b = b[n:]
	}
	return parts
}

// A field that stands there twice is damage: readers that took the first and
// readers that took the last would see two accounts.
func TestTagTwiceIsDamage(t *testing.T) {
	t.Parallel()
	plain := encode(t, full(t).a)
	lists := map[byte]bool{5: true, 12: true, 13: true, 17: true} // authenticators, history, outbox, devices
	refuse := func(name string, b []byte) {
		a, err := account.Decode(b)
		if err == nil {
			err = touch(t, a)
		}
		if !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	// build returns the encoding with the ith field in the place of another.
	top := fields(plain[1:])
	build := func(i int, as ...[]byte) []byte {
		parts := append(append(append([][]byte{plain[:1]}, top[:i]...), as...), top[i+1:]...)
		return bytes.Join(parts, nil)
	}
	field := func(tag byte, v []byte) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{tag}, uint16(len(v))), v...)
	}
	nested := 0
	for i, f := range top {
		tag, value := f[0], f[3:]
		refuse("a field", build(i, f, f))
		switch {
		case tag == 8: // a setup
			first := fields(value)[0]
			refuse("in a setup", build(i, field(tag, append(bytes.Clone(first), value...))))
			nested++
		case lists[tag]:
			n := int(binary.BigEndian.Uint16(value))
			item, rest := value[2:2+n], value[2+n:]
			longer := append(bytes.Clone(fields(item)[0]), item...)
			v := append(binary.BigEndian.AppendUint16(nil, uint16(len(longer))), longer...)
			refuse("in a list", build(i, field(tag, append(v, rest...))))
			nested++
		}
	}
	for _, tag := range []byte{77, 78} { // unknown ones as well
		unknown := field(tag, []byte("from the future"))
		refuse("an unknown field", append(append(bytes.Clone(plain), unknown...), unknown...))
	}
	if nested < 4 {
		t.Errorf("only %d kinds of nested fields were tried", nested)
	}
}
