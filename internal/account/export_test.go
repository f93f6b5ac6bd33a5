package account

// FieldTag is the tag from which on a reader must understand a field.
const FieldTag = mustUnderstand

// Burned returns the mark of codes used by authenticators that are gone.
func Burned(a *Account) int64 { return a.burned }

// TouchAll makes the next encoding write every part anew that was decoded.
func TouchAll(a *Account) {
	a.codes.dirty = a.codes.value != nil
	a.history.dirty = a.history.value != nil
	a.outbox.dirty = a.outbox.value != nil
}

// Replace stores a set and an event as long as it gets, without the limits on
// how often that happens.
func (a *Account) Replace(m Moment, set *FreshSet, name string) error {
	a.codes.set(set.Set)
	if err := a.record(m, Event{Kind: EventAuthenticatorReplaced, Factor: TOTP, Name: name, Method: name[:32]}); err != nil {
		return err
	}
	return nil
}
