// Package resident measures how much memory work takes, for tests that promise
// a bound.
package resident
