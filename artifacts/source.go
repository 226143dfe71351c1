package artifacts

import (
	"context"
	"io"
	"iter"
	"time"
)

// Info is what is known about a file.
type Info struct {
	Name    string    // how its [Source] calls it; can be more exact than what was asked for
	Size    int64     // in bytes; −1 if unknown
	Digest  Digest    // "" if unknown
	ModTime time.Time // when it last changed; zero if unknown
	ETag    string    // its version as HTTP writes it, with quotes (RFC 9110 §8.8.3); "" if unknown
}

// A Source has files. Names are its own: paths, URLs, image references.
// Its methods may be called concurrently. Errors for files that it does not
// have match [io/fs.ErrNotExist].
type Source interface {
	// ID tells this source from all others, in every process that uses the
	// same [Store], such as "github.com/kairos-io/kairos@v3.3.1". The store
	// remembers what it fetched under ID and name. It holds no secrets. With
	// an empty ID nothing is remembered but the content itself.
	ID() string
	// Stat returns what is known about the file called name, without
	// reading it.
	Stat(ctx context.Context, name string) (Info, error)
	// Open returns the content of the file. The end of ctx ends reads.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
}

// A Lister is a [Source] that knows all its names.
type Lister interface {
	Source
	// List returns the files whose names match pattern, as [path.Match]
	// understands it; all for an empty pattern.
	List(ctx context.Context, pattern string) iter.Seq2[Info, error]
}

// A Resumer is a [Source] whose files can be read from the middle, so that a
// broken fetch goes on where it stopped.
type Resumer interface {
	Source
	// OpenAt opens the file called version.Name from the offset off, in
	// bytes. If the file is no longer the version with that ETag or
	// modification time, or if it cannot start there, the body is the whole
	// file from its start. A version that has neither is not compared.
	OpenAt(ctx context.Context, version Info, off int64) (*Body, error)
}

// A Body is the content of a file on its way, or the rest of it.
type Body struct {
	io.ReadCloser
	Info  Info  // what the source said about the whole file
	Start int64 // where in the file the first byte belongs, in bytes
}

// A SideLister is a [Source] that has files of checksums beside its files.
type SideLister interface {
	Source
	// ChecksumFiles returns the names of files that may list the digest of
	// the file called name, in the order in which to look. Not all need to
	// exist. A name that ends in .sha256 or .sha512 may hold a bare digest.
	ChecksumFiles(ctx context.Context, name string) ([]string, error)
}

// A Deriver is a [Source] that has some files only as parts of others, such
// as a kernel inside an ISO.
type Deriver interface {
	Source
	// Derive returns how to make the file called name, or nil if the source
	// has it as it is.
	Derive(ctx context.Context, name string) (*Derivation, error)
}

// A Derivation says how one file is made from another.
type Derivation struct {
	From string // the name of the other file at the same source
	Part string // which part of it; with From's digest it determines the content
	// Extract writes the part to w.
	Extract func(ctx context.Context, w io.Writer, r io.ReaderAt, size int64) error
}
