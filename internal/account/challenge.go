package account

import (
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// ChallengeTTL is how long a challenge can be answered.
const ChallengeTTL = 10 * time.Minute

// maxSpent bounds the list of challenges that were answered and have not
// expired.
const maxSpent = 16

// A ChallengeID names a challenge.
type ChallengeID [16]byte

// A Challenge says that the first factor was right. The account does not keep
// the ones that are open, only those that were spent.
type Challenge struct {
	ID      ChallengeID
	Epoch   Epoch
	Issued  time.Time
	Expires time.Time

	// Delivery is the message that the code comes with; zero for an app's code
	// or a recovery code.
	Delivery DeliveryID
}

// NewChallenge returns a challenge of the account as it is now.
func (a *Account) NewChallenge(id ChallengeID, now time.Time) Challenge {
	return Challenge{ID: id, Epoch: a.epoch, Issued: now, Expires: now.Add(ChallengeTTL)}
}

// Delivered returns the challenge that is answered with the code in a message,
// for as long as that is good. It has the same id: whichever of the two is
// answered, both are spent.
func (c Challenge) Delivered(d Delivery) Challenge {
	c.Delivery, c.Expires = d.ID, d.Expires
	return c
}

// Expired reports whether the challenge can't be answered any more, whatever its
// account is like. One that was issued ahead of the clock is older than it looks:
// the clock has jumped back since.
func (c Challenge) Expired(now time.Time) bool {
	ttl := ChallengeTTL
	if c.Delivery != (DeliveryID{}) {
		ttl += DeliveryTTL // the message was asked for within the first
	}
	return !fresh(c.Issued, now, ttl) || !now.Before(c.Expires)
}

// spentChallenges remembers answered challenges until they would have expired.
// When there are more than it holds, everything issued up to the oldest one it
// forgets is void: the list fails closed.
type spentChallenges struct {
	floor time.Time
	list  []spentChallenge
}

type spentChallenge struct {
	id      ChallengeID
	issued  time.Time
	expires time.Time
}

// CheckChallenge reports whether the challenge can still be answered. It may have
// expired while its answer waited for the account's turn.
func (a *Account) CheckChallenge(c Challenge, now time.Time) error {
	for _, s := range a.challenges.list { // first: a recovery code begins a new epoch
		if s.id == c.ID {
			return refuse(ChallengeSpent)
		}
	}
	if c.Epoch != a.epoch {
		return refuse(ChallengeVoid)
	}
	if !a.challenges.floor.IsZero() && !c.Issued.After(a.challenges.floor) {
		return refuse(ChallengeVoid)
	}
	if c.Expired(now) {
		return refuse(ChallengeExpired)
	}
	return nil
}

// CheckFreshChallenge is CheckChallenge for what is asked for with a challenge
// without answering it: the first factor has to be as fresh as for an app's code,
// also where a message has made the challenge live longer.
func (a *Account) CheckFreshChallenge(c Challenge, now time.Time) error {
	if err := a.CheckChallenge(c, now); err != nil {
		return err
	}
	if !now.Before(c.Issued.Add(ChallengeTTL)) {
		return refuse(ChallengeExpired)
	}
	return nil
}

// SpendChallenge marks the challenge as answered, and the second step of a
// sign-in as done if signIn is set.
func (a *Account) SpendChallenge(m Moment, c Challenge, f Factor, signIn bool) {
	s := spentChallenge{id: c.ID, issued: c.Issued, expires: c.Expires}
	if a.delivery.bound() {
		// The challenge of a message has the same id and lives longer. Were this
		// one forgotten before it, the floor would void honest ones.
		s.expires = s.expires.Add(DeliveryTTL)
	}
	a.challenges.add(s)
	if signIn {
		a.lastSignIn = SignIn{At: m.Now, Factor: f}
	}
	a.changed = true
}

func (s *spentChallenges) add(c spentChallenge) {
	s.list = append(s.list, c)
	if len(s.list) <= maxSpent {
		return
	}
	oldest := 0
	for i := range s.list {
		if s.list[i].issued.Before(s.list[oldest].issued) {
			oldest = i
		}
	}
	s.floor = later(s.floor, s.list[oldest].issued)
	s.list = slices.Delete(s.list, oldest, oldest+1)
}

// floorTolerance is how far ahead the floor may lie: as much as the clocks of
// nodes that issue challenges are apart. Beyond it, it would void honest ones.
const floorTolerance = 2 * time.Minute

// tidy forgets challenges that have expired. The floor takes their place: a
// node whose clock is a little behind does not take them for open ones.
func (s *spentChallenges) tidy(now time.Time) {
	s.list = slices.DeleteFunc(s.list, func(c spentChallenge) bool {
		expired := !now.Before(c.expires)
		if expired {
			s.floor = later(s.floor, c.issued)
		}
		return expired
	})
}

// broken reports whether a clock that ran ahead has left marks here. The epoch
// has to turn then: honest challenges would be void until the time of the
// marks, and those that were spent would be open again when it comes.
func (s *spentChallenges) broken(now time.Time) bool {
	return s.floor.Sub(now) > floorTolerance || slices.ContainsFunc(s.list, func(c spentChallenge) bool {
		_, broken := clampFuture(c.issued, now)
		return broken
	})
}

func (s *spentChallenges) append(b []byte) ([]byte, error) {
	b = appendInt(b, micros(s.floor))
	for _, c := range s.list {
		b = append(b, c.id[:]...)
		b = appendInt(b, micros(c.issued))
		b = appendInt(b, micros(c.expires))
	}
	return b, nil
}

func readChallenges(in cryptobyte.String) (s spentChallenges, err error) {
	var floor int64
	if !readInt(&in, &floor) {
		return s, ErrDamaged
	}
	s.floor = fromMicros(floor)
	for !in.Empty() {
		var c spentChallenge
		var issued, expires int64
		if len(s.list) == maxSpent || !in.CopyBytes(c.id[:]) || !readInt(&in, &issued) || !readInt(&in, &expires) {
			return s, ErrDamaged
		}
		c.issued, c.expires = fromMicros(issued), fromMicros(expires)
		s.list = append(s.list, c)
	}
	return s, nil
}
