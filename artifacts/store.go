package artifacts

import (
	"context"
	"errors"
	"io"
)

// A Store is a folder that keeps files by their digests.
type Store struct{}

// An Option changes how a [Store] works. Later options win.
type Option func(*config)

type config struct{}

// OpenStore opens the store in the folder dir, which is made if need be.
func OpenStore(dir string, opts ...Option) (*Store, error) { return nil, errors.ErrUnsupported }

// Get returns the file that src calls name, fetched and verified if need be.
// The caller closes it.
func (s *Store) Get(ctx context.Context, src Source, name string) (*File, error) {
	return nil, errors.ErrUnsupported
}

// Fetch is [Store.Get] for a file of which info is known for certain: with a
// Digest in it, nothing is asked of src when the store has the content.
func (s *Store) Fetch(ctx context.Context, src Source, info Info) (*File, error) {
	return nil, errors.ErrUnsupported
}

// Lookup returns the stored file with the digest d, or [io/fs.ErrNotExist].
func (s *Store) Lookup(d Digest) (*File, error) { return nil, errors.ErrUnsupported }

// Make returns the file that was made under name before, or has it made by
// write, once for all processes. Name must determine the content.
func (s *Store) Make(ctx context.Context, name string, write func(ctx context.Context, w io.Writer) error) (*File, error) {
	return nil, errors.ErrUnsupported
}

// Prune removes the files longest unused until the store holds at most
// maxBytes, and returns how many bytes it removed.
func (s *Store) Prune(ctx context.Context, maxBytes int64) (int64, error) {
	return 0, errors.ErrUnsupported
}

// Close closes the store. Files stay open.
func (s *Store) Close() error { return nil }
