package account

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// An encoded value is a list of fields in ascending order of their tags, each
//
//	tag uint8, length uint16, value
//
// A reader keeps fields it does not know and writes them back, so that an
// older node does not lose what a newer one stored. Tags from mustUnderstand
// on are the exception: a reader that does not know one refuses the account,
// because ignoring the field would be wrong.
const mustUnderstand = 0x80

type field struct {
	tag   uint8
	value []byte
}

// readFields calls known for each field. It keeps those for which known
// reports false.
func readFields(in cryptobyte.String, known func(tag uint8, value cryptobyte.String) (bool, error)) ([]field, error) {
	var unknown []field
	previous := -1
	for !in.Empty() {
		var tag uint8
		var value cryptobyte.String
		if !in.ReadUint8(&tag) || !in.ReadUint16LengthPrefixed(&value) || int(tag) <= previous {
			return nil, ErrDamaged
		}
		previous = int(tag)
		ok, err := known(tag, value)
		if err != nil {
			return nil, err
		}
		if !ok && tag >= mustUnderstand {
			return nil, ErrNewer
		}
		if !ok {
			unknown = append(unknown, field{tag, value})
		}
	}
	return unknown, nil
}

// A fieldWriter appends fields, merging unknown ones at their places.
type fieldWriter struct {
	b       []byte
	unknown []field
	err     error
}

// upTo appends the unknown fields that come before a tag. It reports whether the
// field can be appended. Tags must ascend.
func (w *fieldWriter) upTo(tag uint8) bool {
	for len(w.unknown) > 0 && w.unknown[0].tag < tag {
		w.raw(w.unknown[0].tag, w.unknown[0].value)
		w.unknown = w.unknown[1:]
	}
	return w.err == nil
}

// put appends a field.
func (w *fieldWriter) put(tag uint8, appendValue func(b []byte) ([]byte, error)) {
	if w.upTo(tag) {
		w.b = append(w.b, tag)
		w.b, w.err = appendPrefixed(w.b, appendValue)
	}
}

func (w *fieldWriter) raw(tag uint8, value []byte) {
	w.b = append(w.b, tag)
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(value)))
	w.b = append(w.b, value...)
}

func (w *fieldWriter) putBytes(tag uint8, value []byte) {
	switch {
	case !w.upTo(tag):
	case len(value) > math.MaxUint16:
		w.err = ErrTooLarge
	default:
		w.raw(tag, value)
	}
}

func (w *fieldWriter) putInt(tag uint8, value int64) {
	if w.upTo(tag) {
		w.b = appendInt(append(w.b, tag, 0, 8), value)
	}
}

func (w *fieldWriter) putTime(tag uint8, t time.Time) { w.putInt(tag, micros(t)) }

// finish appends the unknown fields that are left and returns what was written.
func (w *fieldWriter) finish() ([]byte, error) {
	for _, f := range w.unknown {
		w.raw(f.tag, f.value)
	}
	return w.b, w.err
}

// appendPrefixed appends what appendValue appends, preceded by its length.
func appendPrefixed(b []byte, appendValue func(b []byte) ([]byte, error)) ([]byte, error) {
	start := len(b)
	b, err := appendValue(append(b, 0, 0))
	if err != nil {
		return nil, err
	}
	size := len(b) - start - 2
	if size > math.MaxUint16 {
		return nil, ErrTooLarge
	}
	binary.BigEndian.PutUint16(b[start:], uint16(size))
	return b, nil
}

// appendList appends the items, each preceded by its length.
func appendList[T any](b []byte, items []T, appendItem func(b []byte, item *T) ([]byte, error)) ([]byte, error) {
	var err error
	for i := range items {
		b, err = appendPrefixed(b, func(b []byte) ([]byte, error) { return appendItem(b, &items[i]) })
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readList reads at most limit items.
func readList[T any](in cryptobyte.String, limit int, readItem func(in cryptobyte.String) (T, error)) ([]T, error) {
	var items []T
	for !in.Empty() {
		var item cryptobyte.String
		if !in.ReadUint16LengthPrefixed(&item) || len(items) == limit {
			return nil, ErrDamaged
		}
		x, err := readItem(item)
		if err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	return slices.Clip(items), nil
}

func appendInt(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func readInt(in *cryptobyte.String, v *int64) bool {
	var u uint64
	ok := in.ReadUint64(&u)
	*v = int64(u)
	return ok
}

// readWhole reads a value that is one integer.
func readWhole(in cryptobyte.String, v *int64) error {
	if !readInt(&in, v) || !in.Empty() {
		return ErrDamaged
	}
	return nil
}

// micros encodes an instant as microseconds since 1970. The zero time is 0, and
// the first instant of 1970 gives way to it.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if v := t.UnixMicro(); v != 0 {
		return v
	}
	return 1
}

func fromMicros(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

func readTime(in cryptobyte.String, t *time.Time) error {
	var v int64
	err := readWhole(in, &v)
	*t = fromMicros(v)
	return err
}

// readArray reads a value of exactly len(dst) bytes.
func readArray(in cryptobyte.String, dst []byte) error {
	if len(in) != len(dst) {
		return ErrDamaged
	}
	copy(dst, in)
	return nil
}

// readByte reads a value that is one byte.
func readByte(in cryptobyte.String, dst *uint8) error {
	if len(in) != 1 {
		return ErrDamaged
	}
	*dst = in[0]
	return nil
}

// readFlag reads a value that is empty: what it says is that the field is there.
func readFlag(in cryptobyte.String) error {
	if !in.Empty() {
		return ErrDamaged
	}
	return nil
}

// lazy is a part of the account that most operations do not touch. It stays
// encoded until somebody asks.
type lazy[T any] struct {
	raw   []byte
	value T
	known bool // whether value is what raw says, or newer
	dirty bool // whether it is newer
}

func (l *lazy[T]) get(decode func([]byte) (T, error)) (*T, error) {
	if !l.known && len(l.raw) > 0 {
		v, err := decode(l.raw)
		switch {
		case errors.Is(err, ErrNewer):
			return nil, err
		case err != nil:
			return nil, ErrDamaged
		}
		l.value = v
	}
	l.known = true
	return &l.value, nil
}

// touch says that the value has been changed.
func (l *lazy[T]) touch() { l.dirty = true }

func (l *lazy[T]) set(v T) { l.value, l.known, l.dirty = v, true, true }
