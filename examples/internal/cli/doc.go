// Package cli is what the command lines of the examples have in common.
package cli
