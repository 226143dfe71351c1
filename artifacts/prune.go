package artifacts

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// A resident is a file that takes space in the store.
type resident struct {
	name string
	size int64     // bytes
	used time.Time // when it was last opened, or written to
}

// Prune removes files, the longest unused first, until what the store holds,
// with what is half fetched, is at most maxBytes, and returns how many bytes
// it removed. Files that are open, or being fetched, in this process or
// another, stay; where locks do not work (see the package comment), this
// holds only as far as the system refuses to remove open files.
func (s *Store) Prune(ctx context.Context, maxBytes int64) (int64, error) {
	removed, err := s.prune(ctx, maxBytes)
	return removed, s.wrap("prune", "", "", err)
}

func (s *Store) prune(ctx context.Context, maxBytes int64) (removed int64, err error) {
	var all []resident
	for _, dir := range []string{blobDir, partialDir} {
		found, err := s.residents(dir)
		if err != nil {
			return 0, s.disk(err)
		}
		all = append(all, found...)
	}
	var total int64
	for _, r := range all {
		total += r.size
	}
	slices.SortFunc(all, func(a, b resident) int { return a.used.Compare(b.used) })
	for _, r := range all {
		if total-removed <= maxBytes {
			break
		}
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		ok, err := s.evict(r.name)
		if err != nil {
			return removed, s.disk(err)
		}
		if ok {
			removed += r.size
		}
	}
	return removed, s.disk(s.sweep(ctx))
}

// residents returns the files in dir.
func (s *Store) residents(dir string) ([]resident, error) {
	entries, err := fs.ReadDir(s.root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var found []resident
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext == stateSuffix || ext == nextSuffix {
			continue // Sweep knows about these.
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // Somebody else was faster.
		}
		if err != nil {
			return nil, err
		}
		found = append(found, resident{name: path.Join(dir, e.Name()), size: info.Size(), used: info.ModTime()})
	}
	return found, nil
}

// evict removes the file called name unless somebody has it.
func (s *Store) evict(name string) (bool, error) {
	f, err := s.root.Open(name)
	if err != nil {
		return false, skipMissing(err)
	}
	defer f.Close() //nolint:errcheck // It was only read.
	ok, err := tryLock(f, true)
	if err != nil || !ok {
		return false, nil // A lock that cannot be had protects the file.
	}
	if !locks {
		_ = f.Close() // It was only read.
	}
	if info, err := f.Stat(); locks && (err != nil || !s.isAt(name, info)) {
		return false, nil
	}
	if strings.HasPrefix(name, partialDir) {
		_ = s.root.Remove(name + stateSuffix) // It can be missing.
	}
	if err := s.root.Remove(name); err != nil {
		return false, skipMissing(err)
	}
	return true, nil
}

// sweep removes entries whose content is gone, and what was left by processes
// that were killed while they wrote one.
func (s *Store) sweep(ctx context.Context) error {
	for _, dir := range []string{indexDir, partialDir} {
		entries, err := fs.ReadDir(s.root.FS(), dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			name := path.Join(dir, e.Name())
			if s.stale(dir, e) {
				if err := skipMissing(s.root.Remove(name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stale says whether a file beside the contents is of no use any more.
func (s *Store) stale(dir string, e os.DirEntry) bool {
	name := path.Join(dir, e.Name())
	content := strings.TrimSuffix(strings.TrimSuffix(name, nextSuffix), stateSuffix)
	switch {
	case strings.HasPrefix(e.Name(), "."):
		info, err := e.Info()
		return err == nil && time.Since(info.ModTime()) > time.Hour
	case dir == indexDir:
		var known entry
		if s.readJSON(name, &known) != nil {
			return true
		}
		content = blobFile(known.Digest)
	case content == name:
		return false // Half fetched, and counted.
	}
	_, err := s.root.Stat(content)
	return errors.Is(err, fs.ErrNotExist)
}

// skipMissing drops err if it says that somebody else removed the file.
func skipMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
