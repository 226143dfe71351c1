package artifacts

import (
	"context"
	"fmt"
	"io"
	"os"
)

// A Store is a folder that keeps files by their digests. Any number of
// stores, in any number of processes, may use the same folder at once.
type Store struct {
	cfg   config
	root  *os.Root
	turns turns
}

// OpenStore opens the store in the folder dir, which is made if need be. Only
// its owner can read what it makes.
func OpenStore(dir string, opts ...Option) (*Store, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("artifacts: open store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("artifacts: open store: %w", err)
	}
	for _, name := range []string{blobDir, indexDir, partialDir} {
		if err := root.MkdirAll(name, 0o700); err != nil {
			root.Close()
			return nil, fmt.Errorf("artifacts: open store %s: %w", dir, err)
		}
	}
	return &Store{cfg: cfg, root: root}, nil
}

// Close closes the store. Files that it returned stay open.
func (s *Store) Close() error { return s.root.Close() }

// Get returns the file that src calls name, fetched and verified if the store
// does not have it. If the store has it and src cannot be reached within ten
// seconds, Get returns what src had when it was seen last, and logs a
// warning. Of several calls for the same file, one fetches and the others
// wait. The caller closes the file.
func (s *Store) Get(ctx context.Context, src Source, name string) (*File, error) {
	f, err := s.get(ctx, src, name)
	return f, s.wrap("get", src.ID(), name, err)
}

// Fetch is [Store.Get] for a file of which the caller knows more: with a
// Digest in info, nothing is asked of src when the store has the content, and
// no other digest is looked for. A Size that is not negative is checked.
func (s *Store) Fetch(ctx context.Context, src Source, info Info) (*File, error) {
	f, err := s.fetchKnown(ctx, src, info)
	return f, s.wrap("fetch", src.ID(), info.Name, err)
}

// Lookup returns the stored file with the digest d, whatever its name and
// without asking verifiers. If there is none the error matches
// [io/fs.ErrNotExist].
func (s *Store) Lookup(d Digest) (*File, error) {
	f, err := s.lookup(d)
	return f, s.wrap("lookup", "", string(d), err)
}

// Make returns the file that was made under name before, or else has it made
// by write, by one caller at a time in all processes. Name must determine the
// content. The file is kept only if write succeeds.
func (s *Store) Make(ctx context.Context, name string, write func(ctx context.Context, w io.Writer) error) (*File, error) {
	f, err := s.make(ctx, name, write)
	return f, s.wrap("make", "", name, err)
}

// wrap says what failed, for whom.
func (s *Store) wrap(op, source, name string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Source: source, Name: label(name), Err: err}
}

// disk marks an error of the store's own files, which no other attempt and no
// other source would mend, and makes sure that it says where they are.
func (s *Store) disk(err error) error {
	if err == nil {
		return nil
	}
	return &diskError{dir: s.root.Name(), err: err}
}

// makeID is the source of what is made here.
const makeID = "make"

// make returns what was made under name, or makes it.
func (s *Store) make(ctx context.Context, name string, write func(ctx context.Context, w io.Writer) error) (*File, error) {
	return s.produce(ctx, product{
		key: keyOf(makeID, name),
		hit: func() *File { return s.recall(makeID, name).orNil() },
		fill: func(p *partial) (Info, error) {
			if err := p.restart(Info{}, ""); err != nil {
				return Info{}, err
			}
			sum := newHashes(nil)
			w := &limitWriter{ctx: ctx, w: io.MultiWriter(p.file, sum), left: s.cfg.maxSize, name: name, limit: s.cfg.maxSize}
			if err := write(ctx, w); err != nil {
				return Info{}, err
			}
			return Info{Name: name, Size: s.cfg.maxSize - w.left, Digest: sum.digest(SHA256)}, ctx.Err()
		},
		note: func(info Info) error {
			return s.remember(makeID, name, entry{Digest: info.Digest, Size: info.Size, Checked: true})
		},
	})
}

// A product is a file that comes into the store.
type product struct {
	key  string                         // of the partial file
	hit  func() *File                   // returns it if it is there already
	fill func(p *partial) (Info, error) // writes it
	note func(info Info) error          // remembers what it is
}

// produce returns what hit finds, or has fill write it, alone among
// goroutines and processes, and stores that.
func (s *Store) produce(ctx context.Context, what product) (*File, error) {
	if f := what.hit(); f != nil {
		return f, nil
	}
	end, err := s.turns.take(ctx, what.key)
	if err != nil {
		return nil, err
	}
	defer end()
	p, err := s.lockPartial(ctx, what.key)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if f := what.hit(); f != nil {
		p.discard()
		return f, nil
	}
	info, err := what.fill(p)
	if err != nil {
		if !p.useful {
			p.discard()
		}
		return nil, err
	}
	return p.commit(info, what.note)
}

// limitWriter writes until the context ends or the limit is passed.
type limitWriter struct {
	ctx         context.Context //nolint:containedctx // It lives as long as one call.
	w           io.Writer
	name        string
	left, limit int64 // bytes
}

// Write implements [io.Writer].
func (l *limitWriter) Write(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p)) > l.left {
		return 0, &SizeError{Name: label(l.name), Want: -1, Got: l.limit - l.left + int64(len(p)), Limit: l.limit}
	}
	n, err := l.w.Write(p)
	l.left -= int64(n)
	return n, err
}
