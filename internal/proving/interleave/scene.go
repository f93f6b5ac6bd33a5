package interleave

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// A scene is a state to start from, the operations that are run from there, and
// what is tried afterwards.
type scene struct {
	state  string
	name   string      // the state, if it is empty
	beside []operation // run in each combination, beside those chosen from the rest
	core   []operation // what spends or counts something, and what takes it away
	others []operation
	short  []operation // with one write at most, for three at once
	always []operation // what can come at any time, beside the core and the others
	probes []probe

	alerts  bool     // a challenge is answered, and the owner hears of wrong codes later
	users   []string // whose accounts are judged; nil for the one of the state
	begun   int      // how many writes of a move were made at first, which then was interrupted
	rollout bool     // the key is being replaced: most nodes still seal under the old one
}

// An operation is one call of a Guard. It returns what the caller was told besides
// the error, as far as that is not drawn at random.
type operation struct {
	name string
	run  func(ctx context.Context, s *states.State, n node) (string, error)

	spends string // what it may use once over all user ids
	parts  int    // how many writes it can have made when it is not over; 0 for one write
	moves  bool   // it is Admin.Move, which is called again until it has come to an answer
	skips  bool   // what it misses beside a move, the next one does
	newKey bool   // its node seals under the new key already, in a rollout
}

// at is the operation for another user id.
func at(user string, op operation) operation {
	run := op.run
	op.name += " at " + user
	op.run = func(ctx ctx, s st, g gd) (string, error) { g.user = user; return run(ctx, s, g) }
	return op
}

// parted is the operation with how many writes it can have made when it is not over.
func parted(parts int, op operation) operation { op.parts = parts; return op }

// spending is the operation with what it may use once.
func spending(what string, op operation) operation { op.spends = what; return op }

// A probe tries something on a copy of the account, and returns what came of it.
type probe func(ctx context.Context, s *states.State, n node) string

// An admin is who helps a user.
type admin struct {
	enrollment.Admin
	user string
}

func (s scene) title() string { return cmp.Or(s.name, s.state) }

// judged are the users whose accounts are judged.
func (s scene) judged() []string {
	if len(s.users) > 0 {
		return s.users
	}
	return []string{states.User}
}

// combinations are what is walked in this scene.
func (s scene) combinations(o Options) (all [][]operation) {
	operations := s.core
	switch {
	case o.Processes > 2 && o.Faults:
		return threeIn[s.title()]
	case o.Processes > 2:
		operations = s.short
	case !o.Core:
		operations = slices.Concat(s.core, s.others)
	}
	for _, ops := range combinations(operations, o.Processes-len(s.beside)) {
		all = append(all, slices.Concat(s.beside, ops))
	}
	if o.Processes == 2 && !o.Core {
		for _, op := range operations {
			for _, other := range s.always {
				all = append(all, []operation{op, other})
			}
		}
	}
	return all
}

// anyTime gives the scene what users and those who help them can do at any time, but for what
// it has already. If the owner is to hear of wrong codes later, erasing is no part of it: the
// record goes whatever was written last, so nobody hears of a wrong code that comes after
// the last event was told.
func (s scene) anyTime() scene {
	always := []operation{disable, reset, unlock, bypass, sweep}
	if !s.alerts {
		always = append(always, erase)
	}
	for _, op := range always {
		if !slices.ContainsFunc(slices.Concat(s.core, s.others), func(o operation) bool { return o.name == op.name }) {
			s.always = append(s.always, op)
		}
	}
	return s
}

// combinations returns every choice of n of the operations, in no order, where
// each can be chosen more than once.
func combinations(all []operation, n int) (choices [][]operation) {
	if n == 0 {
		return [][]operation{nil}
	}
	for i, op := range all {
		for _, others := range combinations(all[i:], n-1) {
			choices = append(choices, append([]operation{op}, others...))
		}
	}
	return choices
}

func nameOf(ops []operation) string {
	var names []string
	for _, op := range ops {
		names = append(names, strings.ReplaceAll(op.name, " ", "_"))
	}
	return strings.Join(names, "+")
}
