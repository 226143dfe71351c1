// Package overlay lays file trees over each other, and single files over those,
// without copying contents.
//
// A [Builder] takes trees in turn, each over what is there already, and
// makes a [Tree] of them, which keeps to the rules that the package comment of
// netbootkit gives for file trees:
//
//	over             a directory            something else
//	a directory      its entries are added  it replaces that; a symbolic link
//	                                        that leads to a directory stays
//	something else   it replaces all of it  it replaces that
//
// So `bin/tool` over a tree in which bin leads to usr/bin is usr/bin/tool, and
// the link is still there. A directory that is there already gets owner, mode
// and time of the one above, but for the root, which is that of the first: a
// folder with a few files says nothing of the root of a system.
//
// Of files with several names, some of which are replaced, the others stay
// names of one file. Sockets are left out: they mean nothing in an image.
//
// # Errors
//
// Errors name the file. What the trees below answer is in them, for
// [errors.Is].
//
// # Concurrency
//
// A Tree may be used concurrently where the trees below may be. A Builder
// may not.
//
// # Limits
//
// Those of [github.com/netbootkit/netbootkit/internal/tartree]. Memory
// grows with the number of entries, about 250 bytes each; contents are not held.
package overlay
