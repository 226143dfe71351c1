// Package preflight finds out what keeps a boot server from starting or its
// machines from reaching it, and says so in sentences that name the remedy.
package preflight
