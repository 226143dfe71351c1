// Package labtest runs a program in its tests, in a folder of its own with files to
// work on and a store.
package labtest
