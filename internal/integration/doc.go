// Package integration holds the tests of the library against real databases
// and real clients. It is a module of its own so that their drivers reach
// nobody else's module graph. Package testenv opens what the tests need. README.md
// has the commands of long runs, and what they have measured.
//
// A server or program that is not installed skips the tests that need it;
// with TWOFACTOR_REQUIRE=1 in the environment, as in CI, it fails them.
package integration
