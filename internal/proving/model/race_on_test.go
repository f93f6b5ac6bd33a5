//go:build race

package model_test

// underRace says that the race detector is on. What is long and does one thing
// after another is short then; CI runs it in full without the detector.
const underRace = true
