package account

// Resynchronize takes the clock of a hardware token for as wrong as three consecutive
// codes of it show: from then on, single codes are looked for there. The offset is that
// from the time of the server. It replaces an earlier one, so it never adds up, and the
// window is as narrow as before.
//
// The codes prove that somebody has seen the token, and not when. Who has noted down
// more than three could move the window to their time, and change settings by the
// others. So it takes a proof besides. That is looked at only if the codes are right: a
// typing error does not cost a recovery code.
func (a *Account) Resynchronize(m Moment, id AuthenticatorID, codes Consecutive, p Proof) error {
	i := a.find(id)
	switch {
	case !a.enrolled():
		return refuse(NotEnrolled)
	case i < 0 || !a.authenticators[i].Hardware:
		return refuse(UnknownAuthenticator)
	case !a.authenticators[i].takesConsecutive(codes):
		return a.refused(m, NoFactor, refuse(MalformedCode))
	}
	x := &a.authenticators[i]
	step, err := x.checkConsecutive(m, codes)
	if err != nil {
		_, err := a.consecutiveOf(m, a.authenticators[i:i+1], codes)
		return err
	}
	by, err := a.prove(m, p, toAdd)
	if err != nil {
		return err
	}
	// The proof may have been a code of the token itself.
	x.Last, x.Used, x.near = max(x.Last, step), m.Now, nearMisses{}
	x.Offset = step - x.Key.Step(m.typed())
	a.totp.outlast(totpPolicy, m.Now)
	if err := a.succeeded(m, TOTP); err != nil {
		return err
	}
	return a.record(m, Event{Kind: EventResynchronized, Factor: by.factor, Name: x.Name})
}

// takesConsecutive reports whether the codes have the digits of the authenticator.
func (a *Authenticator) takesConsecutive(codes Consecutive) bool {
	for _, c := range codes {
		if len(c) != a.Key.Params().Digits {
			return false
		}
	}
	return true
}
