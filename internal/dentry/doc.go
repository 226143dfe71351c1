// Package dentry reads the names and attributes of a whole file tree, for what
// writes file systems. A file system embeds [Entry] in its own type of node, adds
// what it keeps besides, and has a [Reader] make the nodes.
//
//	field          of                 from
//	Name           all but the root   FileInfo.Name
//	Mode           all                FileInfo.Mode, as st_mode has it
//	UID, GID       all                *tar.Header in Sys, or 0
//	Device         devices            *tar.Header in Sys, as Linux packs it
//	Size           files, targets     FileInfo.Size, fs.ReadLink
//	Target         symbolic links     fs.ReadLink
//	Same           further names      *tar.Header in Sys, of the type TypeLink
//	Links          all                names that lead there, with . and ..
//	Kids           directories        fs.ReadDir, sorted by the bytes of names
//
// # Errors
//
// Errors begin with the name of the package that reads, and the path in the
// tree. They wrap what the tree returned. It is one to have a name twice in a
// directory, a link to what is not there or has no content, and what is beyond the
// limits. A cancelled context's error is returned as it is.
//
// # Concurrency
//
// A Reader that is not changed may read several trees at once, if its functions
// may be called so; for one tree they are called by one goroutine.
//
// # Limits
//
//	entries of a tree     2097152
//	depth of a tree       2048
//	bytes of a name       255
//	bytes of a target     1 to 4095 (symlink(2))
//	owners and groups     0 to 4294967295
//	device numbers        0:0 to 4095:1048575
package dentry
