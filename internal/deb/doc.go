// Package deb reads the files of a Debian package, of those that it installs.
//
// # Layout
//
// A package is an archive of the kind that ar makes (deb(5)):
//
//	bytes  what
//	8      "!<arch>" and a line feed
//	60     header of a member: name in 16, size in decimal in 10 at byte 48,
//	       "`" and a line feed at byte 58
//	n      the member, and a line feed if n is odd; then the next header
//
//	member              what
//	debian-binary       the version of the format: 2.0
//	control.tar...      not read
//	data.tar            the files, as they are
//	data.tar.gz         compressed with gzip (RFC 1952)
//	data.tar.xz         compressed with xz (The .xz File Format 1.2.1)
//	data.tar.zst        compressed with Zstandard (RFC 8878)
//
// Members whose names start with an underscore may stand between these, and any
// may follow the last.
//
// # Errors
//
// Errors name the member, and the file in it where that is known.
//
// # Concurrency
//
// The tree may be used concurrently.
//
// # Limits
//
//	bytes of data.tar, without compression    256 MiB; it is kept in memory
//	bytes that a decompressor looks back      64 MiB
//	members in front of data.tar              16
//	blocks in one xz stream                   65536
//
// Signatures inside packages are not looked at: who fetched a package checks its
// digest. Packages of format 0.939, compression with bzip2 or lzma, and filters
// of xz other than LZMA2 are not supported.
//
// The xz container is read here, by means of ulikunitz/xz/lzma, because that
// module's own reader allocates what a header says, up to 4 GiB.
package deb
