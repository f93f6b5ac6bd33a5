// Package readme holds Go code of README.md and of the documentation of package
// enrollment, so that the code compiles and has tests. A test in internal/docs compares
// them.
package readme
