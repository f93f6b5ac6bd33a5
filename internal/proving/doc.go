// Package proving is what the long proofs of package enrollment are made with:
// a [Kit], which is a Guard with all that a test wants to get hold of, and a
// [Store] that wraps any other one and fails on demand.
package proving
