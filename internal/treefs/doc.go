// Package treefs makes file systems of trees that package tartree holds: all that
// [fs.ReadLinkFS], [fs.ReadDirFS] and [fs.StatFS] ask for, but for the contents
// of regular files, which an [Opener] opens.
//
//	Open, Stat, ReadDir   follow symbolic links inside the tree
//	Lstat, ReadLink       do not follow the last one
//	Info.Sys              a fresh [*archive/tar.Header]
//	devices, pipes        open as empty files
//	names                 as [fs.ValidPath] has them, but of any bytes
//
// [DataSize] measures any tree.
//
// # Errors
//
// Errors are of type [*fs.PathError], but for those of an Opener, which are
// passed on as they are. What is looked up below something that is no directory
// matches [fs.ErrNotExist] and [tartree.ErrNotDir].
//
// # Concurrency
//
// An [FS] may be used concurrently if its Opener may be. An open directory
// is for one goroutine at a time.
//
// # Limits
//
// Those of [github.com/netbootkit/netbootkit/internal/tartree].
package treefs
