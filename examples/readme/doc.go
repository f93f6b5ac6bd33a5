// Package readme holds the Go code of README.md, so that the code compiles and has
// tests. A test in internal/docs compares the two.
package readme
