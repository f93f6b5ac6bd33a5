// Package fips asks the Go runtime about its enforcement of FIPS 140-3, that
// is GODEBUG=fips140=only, and makes exceptions to it.
package fips
