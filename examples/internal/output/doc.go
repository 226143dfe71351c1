// Package output writes the files that programs make. A file gets its name
// when it is complete, with its digest in another file beside it; nothing is
// left of one that was not completed. Where the system has locks, Linux and macOS
// here, two programs cannot make the same file at once.
package output
