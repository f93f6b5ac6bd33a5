// Package formats holds package enrollment to what it has stored and handed out
// before, and to what it has published for other implementations: the golden files
// and the vectors in the testdata of that package. Those files never change.
package formats
