// Package treetest makes file trees for tests, and lists what trees hold.
//
// [New] makes a tree of entries, which [File], [Dir], [Symlink], [Link] and
// [Device] describe, with all that a root file system can have. [List] lists a
// tree that keeps to the rules in the package comment of netbootkit, so that it
// can be compared with another one.
//
// # Errors
//
// What goes wrong fails the test.
//
// # Concurrency
//
// Trees may be used concurrently.
//
// # Limits
//
// Trees are in memory, and have no sockets, which tar does not know.
package treetest
