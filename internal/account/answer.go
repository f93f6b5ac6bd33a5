package account

// Answer evaluates what was answered to a challenge, as [Account.Check] does. A right
// answer spends the challenge, and is the second step of a sign-in if signIn is set.
// A wrong one that was counted is counted for the alert as well, in the same write.
func (a *Account) Answer(m Moment, c Challenge, g Guess, signIn bool) (Match, error) {
	if _, must := a.MustReplace(m); must {
		g.Replenish = false // nobody would see the new code
	}
	return a.answer(m, c, signIn, func() (Match, error) { return a.Check(m, g) })
}

// AnswerConsecutive is Answer with [Account.CheckConsecutive].
func (a *Account) AnswerConsecutive(m Moment, c Challenge, codes Consecutive, signIn bool) (Match, error) {
	return a.answer(m, c, signIn, func() (Match, error) { return a.CheckConsecutive(m, codes) })
}

func (a *Account) answer(m Moment, c Challenge, signIn bool, check func() (Match, error)) (Match, error) {
	if err := a.CheckChallenge(c, m.Now); err != nil {
		return Match{}, err
	}
	by := answererOf(m, c)
	replace, must := a.MustReplace(m)
	match, err := check()
	switch {
	case err == nil:
		// What could not prove the replacement signs in.
		if f := match.Receipt(); must && (f == TOTP || f == Recovery) {
			match.Replace, signIn = replace, false
		}
		if match.Replenished {
			c.Expires = c.Expires.Add(RepeatTTL) // see NewCode
		}
		a.SpendChallenge(m, c, match.Factor, signIn)
		match.Missed, err = a.rightAnswer(m, by)
		if !match.Replace.IsZero() {
			a.alert.missed = match.Missed // nobody is told of them now
		}
		return match, err
	case a.counted:
		if err := a.missedAnswer(m, by); err != nil {
			return Match{}, err
		}
	}
	return Match{}, err
}
