// Package output writes the files that programs make. A file gets its name
// when it is complete, with its digest in another file beside it; nothing is
// left of one that was not completed.
package output
