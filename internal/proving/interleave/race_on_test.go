//go:build race

package interleave

// underRace says that the race detector is on. CI walks the orders with a fault without it.
const underRace = true
