package account

// Secrets of 80 to 127 bits, which other systems have made. They are taken over on
// condition: from Limits.ShortUntil on, a right code only lets the user replace them.
// The old code is asked for all the same. To lead such a user to a setup instead would
// be a way past the second factor.

// MustReplace returns the authenticator that the user has to replace before anything
// else: the first one with a short secret, once the time of those is over.
func (a *Account) MustReplace(m Moment) (id AuthenticatorID, must bool) {
	if m.typed().Before(m.Limits.ShortUntil) {
		return id, false
	}
	for i := range a.authenticators {
		if a.authenticators[i].Short() {
			return a.authenticators[i].ID, true
		}
	}
	return id, false
}

// Short reports whether the secret has fewer than 128 bits.
func (a *Authenticator) Short() bool { return a.Key.Secret().Short() }

// toStage is what has to be proven for a setup.
func (a *Account) toStage(replaces AuthenticatorID) demand {
	d := toAdd
	if i := a.find(replaces); i >= 0 {
		d.mends = a.authenticators[i].Short()
	}
	return d
}
