// Package artifacts fetches, verifies and keeps what machines boot.
//
// A [Source] has files: [HTTP] and [Dir] here, releases and images in the
// packages below. A [Store] keeps them on disk by their digests:
// [Store.Get] returns one by its name at a source, [Store.Fetch] one whose
// digest is known, [Store.Make] one that is made of others. A tree is what is
// in an archive or a folder: [OpenTar], [OpenDir].
//
// # Verification
//
// What a file should be is known from, in this order, all of which must agree:
//
//	what                                             by
//	the digest that the source gives                 every source that knows one
//	the first list that has the file: name.sha256,   HTTP, Dir, github
//	SHA256SUMS, name.sha512, SHA512SUMS beside it
//	signatures, lists that the caller trusts         WithVerifier
//
// A file of which nothing is known is refused with [ErrUnverified], unless
// [WithUnverified] is given. Digests are computed while a file arrives; it
// gets its place, and a name, only when all is right. Verifiers are asked
// again each time that a file is taken from the store, so that a store with
// other rules cannot vouch for this one.
//
// # Fetching
//
//	what                  default  range       option
//	attempts in a row     5        1..1000     WithRetry
//	wait before the next  1s       0s..1m      WithRetry; doubled up to 30s, less up to a half
//	Retry-After obeyed             0s..2m      a longer one is an error
//	idle                  1m       1s..1h      WithIdleTimeout
//	size                  64 GiB   1 byte..    WithMaxSize
//
// A broken connection, an idle one, and the statuses 408, 425, 429, 500, 502,
// 503 and 504 are worth another attempt; nothing else is. An attempt goes on
// where the last one stopped (RFC 9110 §14.2), if the file is still the same
// (RFC 9110 §13.1.5), and so does another process after a crash; the attempts
// are counted anew when one brought bytes.
//
// [Store.Get] asks the source first whether it has something newer. If it
// cannot be reached, what it had when it was seen last is used, and a warning
// logged; the answers "does not exist" and "not allowed" are errors.
// [Store.Fetch] of what the store has asks nothing.
//
// # Layout
//
//	blobs/sha256/<hex>    a file; mode 0444, never changed; its time is when it was last used
//	index/<key>.json      what a name at a source stood for when last seen; replaced as a whole
//	partial/<key>         a file on its way, locked by who fetches it
//	partial/<key>.json    the version of the source that it is of
//
// The key is the hash of source and name, or for partial files the digest, if
// it is known. A folder may be copied, and any file in it removed, while no
// process uses it. Names in it have no user, password or query of URLs.
//
// # Errors
//
// A [*Error] says what was asked for; in it may be a [*DigestError], a
// [*SizeError], an [*HTTPError], [ErrUnverified], or an error of the file
// system with the path. A file that does not exist matches
// [io/fs.ErrNotExist]. After an error there is no file, and nothing half made
// except in partial, where it stays only if another attempt can go on with it.
//
// # Concurrency
//
// All types may be used concurrently, and any number of processes may use the
// same folder: whoever comes first fetches a file, the others wait. This rests
// on flock, which Linux, macOS and the BSDs have; elsewhere each process
// fetches for itself, and does not go on with what another left. On NFS flock
// has to work between its clients. The end of a context ends everything at
// once.
//
// # Limits
//
// Stored files are not hashed again when they are opened: what a disk loses,
// or an administrator changes, goes unnoticed. Files of checksums and
// signatures have at most 4 MiB.
package artifacts
