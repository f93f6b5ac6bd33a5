//go:build !race

package enrollment_test

const underRace = false
