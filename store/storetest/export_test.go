package storetest

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Case is a case of the suite for the suite's own tests.
type Case struct {
	Name, Clause string
	Check        func(ctx context.Context, s store.Store) error
	Run          func(ctx context.Context, s store.Store, grace time.Duration) error
	Missing      func(s store.Store) string
}

// Cases returns all cases.
func Cases() []Case {
	var all []Case
	for _, c := range cases() {
		all = append(all, Case{Name: c.name, Clause: c.clause, Check: c.check, Run: c.run, Missing: c.missing})
	}
	return all
}

// TakingTurns is takingTurns.
func TakingTurns(nodes []store.Store) store.Store { return takingTurns(nodes) }
