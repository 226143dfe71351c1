// Package tartree holds a file tree in memory, without the contents of its
// files, and builds it from what tar archives and image layers say.
//
// A [Tree] is built with Add, Link, Whiteout and Opaque, which follow symbolic
// links in the parents of a name, inside the tree: `..` stops at the root and
// absolute targets start there, as after chroot. Then Freeze sorts it, and it is
// only read. [Scan] builds one from a tar that can be read at any offset,
// [Flatten] from layers, of which it writes one tar.
//
// # Limits
//
//	entries in one tree                     2097152
//	bytes of names, links and attributes    256 MiB for one tree
//	bytes of one path, or link target       4096
//	bytes of one element of a path          255
//	symbolic links followed for one name    40
//	bytes of one extended header            1 MiB (archive/tar)
//
// Beyond a limit there is an error that names the entry.
//
// # Concurrency
//
// A frozen tree may be read concurrently; one that is being built or drained may
// not.
package tartree
