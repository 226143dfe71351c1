package artifacts

import (
	"os"
	"time"
)

// A File is a stored file, open for reading. It may be read concurrently.
// While it is open, [Store.Prune] leaves it alone. The caller closes it.
type File struct {
	*os.File // so that the kernel can send it by itself
	info     Info
}

// Size returns the size in bytes.
func (f *File) Size() int64 { return f.info.Size }

// ModTime returns when the file last changed at its source; the zero time if
// that is unknown.
func (f *File) ModTime() time.Time { return f.info.ModTime }

// ETag returns a tag made of the digest, as HTTP writes it (RFC 9110 §8.8.3).
func (f *File) ETag() string { return `"` + f.info.Digest.Hex() + `"` }

// Info returns what is known about the file. Its Digest is the SHA-256.
func (f *File) Info() Info { return f.info }

// drop closes a file that nobody wants; f may be nil.
func (f *File) drop() {
	if f != nil {
		_ = f.Close() // It was only read.
	}
}
