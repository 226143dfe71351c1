// Package mosaic puts one image together from pieces: bytes in memory, ranges
// of files, other images. Contents are read when the image is read or written,
// and never held.
//
//	what            rule
//	offsets, sizes  bytes, 0 and more
//	holes           what no piece covers; they read as zeros
//	size            the end of the last piece, unless [Image.SetSize] gives it
//	buffer          1 MiB for one call of Copy or CopyAt
//	gaps            holes under 64 KiB are written as zeros by CopyAt
//
// An image is an [io.ReaderAt] itself, so that it can be a piece of another
// one. The holes of a piece are found where the piece can tell them, by a
// NextData method such as [Image.NextData]; [NextData] asks anything for its own.
// [ReadFile] reads for pieces that are files of a tree, of which none stays open.
//
// # Errors
//
// Pieces that overlap, or lie beyond the size that was set, are an error of
// [Image.Check], [Image.Copy] and [Image.CopyAt] which names both. A piece that
// ends before its size matches [io.ErrUnexpectedEOF]; other errors are those of
// the piece, with its place.
//
// # Concurrency
//
// An image that is no longer changed may be read concurrently, when its pieces
// may.
//
// # Limits
//
// The number of pieces is bounded by memory: 56 bytes each. Pieces that are
// added in order cost least.
package mosaic
