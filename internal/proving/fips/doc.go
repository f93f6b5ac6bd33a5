// Package fips holds tests of package enrollment where FIPS 140-3 is enforced.
package fips
