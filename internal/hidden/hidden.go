// Package hidden keeps values where package fmt can't get at them.
package hidden

// A Value holds a T behind two pointers. fmt prints the unexported fields of
// whatever struct is around a type of ours without asking that type's methods.
// One pointer stops it for %v, yet not for %s, %q or any other verb that does
// not suit a pointer: it then says so, and shows what the pointer points to,
// unless that is a pointer again.
//
// The zero Value holds nothing. Copies share what they hold.
type Value[T any] struct{ p **T }

// Of returns a Value that holds v.
func Of[T any](v T) Value[T] {
	p := &v
	return Value[T]{&p}
}

// IsZero reports whether h holds nothing.
func (h Value[T]) IsZero() bool { return h.p == nil }

// Get returns what h holds, or nil for the zero Value. It is shared with every
// copy of h.
func (h Value[T]) Get() *T {
	if h.p == nil {
		return nil
	}
	return *h.p
}
