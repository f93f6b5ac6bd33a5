package redact

// A Value holds a T where fmt can't reach it: behind two pointers. With verbs
// such as %v, one pointer would be enough. With a verb that does not suit a
// pointer, such as %s, fmt reports that and prints what the pointer points to,
// unless that is a pointer as well.
//
// The zero Value holds nothing. Copies share what they hold. A Value can't be
// compared with ==, which would compare addresses.
type Value[T any] struct {
	_ [0]func()
	p **T
}

// Of returns a Value that holds v.
func Of[T any](v T) Value[T] {
	p := &v
	return Value[T]{p: &p}
}

// IsZero reports whether h holds nothing.
func (h Value[T]) IsZero() bool { return h.p == nil }

// Get returns a pointer to what h holds, or nil for the zero Value. Every copy
// of h returns the same pointer.
func (h Value[T]) Get() *T {
	if h.p == nil {
		return nil
	}
	return *h.p
}
