package interleave

import (
	"fmt"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// Where accounts move to.
const (
	newID   = "alice.smith"
	thirdID = "alice.jones"
)

// moveWrites is how many writes an interrupted move can have made: the claim, the record
// that is left, the one that arrives, and the acknowledgement of its event. The last one
// empties the old record.
const moveWrites = 4

// moveTo moves the account of a user id.
func moveTo(name, from, to string) operation {
	op := parted(moveWrites, change(name, func(ctx ctx, s st, g gd) error {
		return g.Admin("root", "married").Move(ctx, from, to)
	}))
	op.moves = true
	return op
}

var (
	move      = moveTo("move", states.User, newID)
	moveApart = moveTo("move to a third id", states.User, thirdID)
	moveBack  = moveTo("move back", newID, states.User)
	moveOther = moveTo("move another to the new id", states.Other, newID)
	moveIn    = moveTo("move another to the old id", states.Other, states.User)
)

// movingScene has each operation of a scene on the old id beside a move.
func movingScene(s scene) scene {
	s = s.with(move, "moving")
	s.users = []string{states.User, newID}
	return s
}

// with is the scene beside another operation. What is the core of one state stands for that
// of the others.
func (s scene) with(op operation, name string) scene {
	s.name, s.beside, s.short, s.always = s.state+" "+name, []operation{op}, nil, nil
	if s.state != "staged" {
		s.core, s.others = nil, slices.Concat(s.core, s.others)
	}
	return s
}

// newIDScene has operations on the new id beside a move: the account, which arrives there,
// and what may be begun there before.
func newIDScene() scene {
	s := scene{
		state: "staged", name: "new id", beside: []operation{move}, users: []string{states.User, newID},
		probes: []probe{tryApp, tryRecovery, tryChallenge, tryReceipt, trySetup},
	}
	for _, op := range []operation{verifyApp, verifyWrong, verifyRecovery, beginFirst, takeOver, signInImport} {
		s.core = append(s.core, at(newID, op))
	}
	for _, op := range []operation{verifyWrongRecovery, beginByCode, cancel, disable, rename, bypass, reset, unlock, export, signIn, erase} {
		s.others = append(s.others, at(newID, op))
	}
	return s
}

// interruptedScene starts with a move that has made so many writes. It is repeated beside
// operations on either id. The new id is not erased, which Erase says not to do: the move may
// claim it once more, until it is called again.
func interruptedScene(writes int) scene {
	return scene{
		state: "staged", name: fmt.Sprintf("interrupted after %d", writes), begun: writes, rollout: true,
		beside: []operation{move},
		core:   []operation{verifyApp, at(newID, verifyApp), verifyWrong, move},
		others: []operation{
			at(newID, verifyRecovery), at(newID, beginFirst), erase, disable, sweep, moveApart, moveBack, moveOther, reseal,
		},
		probes: []probe{tryApp, tryRecovery, tryChallenge, tryReceipt},
		users:  []string{states.User, newID, thirdID, states.Other},
	}
}

// movesScene has moves beside each other: twice the same, to two ids, of two accounts to
// one id, back, and to the id that is being left. A change of the key stands beside one too.
func movesScene() scene {
	return scene{
		state: "staged", name: "moves", rollout: true, beside: []operation{move},
		core:   []operation{move, moveApart, moveBack},
		others: []operation{moveOther, moveIn, reseal},
		probes: []probe{tryApp, tryRecovery},
		users:  []string{states.User, newID, thirdID, states.Other},
	}
}

// resealingScene has each operation of a scene beside a change of the key. The node that
// carries the operation out still seals under the old one.
func resealingScene(s scene) scene {
	s = s.with(reseal, "resealing")
	s.others, s.rollout = append(slices.Clip(s.others), reseal), true
	return s
}

var reseal = func() operation {
	op := change("reseal", func(ctx ctx, s st, g gd) error {
		d, err := enrollment.NewDirectory(g.Guard, g.store)
		if err != nil {
			return err
		}
		done, err := d.Reseal(ctx, enrollment.ResealOptions{})
		if err == nil && done.Failed.Total > 0 {
			err = errFault
		}
		return err
	})
	op.newKey = true
	return op
}()
