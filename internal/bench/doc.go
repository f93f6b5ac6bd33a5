// Package bench holds the library beside what a host would otherwise use, in
// one run: the rows of the performance budget, and a few of the parts that they
// are made of. The README of this folder tells what each row measures.
//
// A [Side] is one way of doing something. The benchmarks of this package run
// sides one after another, for profiles and for benchstat; the program in
// ratios runs two sides in turns, so that noise meets both, and prints the
// table. A [Load] is the same for many callers at a time, and a [Crew] is many
// accounts in a store; the program in scale uses both. Nothing here asserts a
// time.
package bench
