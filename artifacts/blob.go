package artifacts

import (
	"io/fs"
	"os"
	"path"
	"time"
)

const (
	blobDir  = "blobs/sha256"
	blobMode = 0o444
)

func blobFile(d Digest) string { return path.Join(blobDir, d.Hex()) }

// lookup returns the stored file with the digest d.
func (s *Store) lookup(d Digest) (*File, error) {
	if _, err := ParseDigest(string(d)); err != nil {
		return nil, err
	}
	if d.Algorithm() == SHA256 {
		return s.open(Info{Size: -1, Digest: d})
	}
	if r := s.recall(aliasID, string(d)); r != nil {
		return r.file, nil
	}
	return nil, fs.ErrNotExist
}

// aliasID is the source of names that are digests of other algorithms.
const aliasID = "digest"

// open opens the stored file with info.Digest, a SHA-256, and marks it as
// used now. The size is only compared if it is not negative.
func (s *Store) open(info Info) (*File, error) {
	if d, err := ParseDigest(string(info.Digest)); err != nil || d.Algorithm() != SHA256 {
		return nil, fs.ErrInvalid
	}
	name := blobFile(info.Digest)
	f, err := s.root.Open(name)
	if err != nil {
		return nil, err
	}
	share(f)
	there, err := f.Stat()
	if err == nil && !s.isAt(name, there) {
		err = fs.ErrNotExist
	}
	if err == nil && info.Size >= 0 && info.Size != there.Size() {
		err = &SizeError{Name: f.Name(), Want: info.Size, Got: there.Size(), Limit: s.cfg.maxSize}
	}
	if err != nil {
		_ = f.Close() // It was only read.
		return nil, err
	}
	if there.Mode().Perm() != blobMode {
		_ = s.root.Chmod(name, blobMode) // Somebody was killed between two steps.
	}
	now := time.Now()
	_ = s.root.Chtimes(name, now, now) // A store that cannot be written to needs no order of use.
	info.Size = there.Size()
	return &File{File: f, info: info}, nil
}

// share locks f, so that nobody removes it. Whoever is about to has it locked
// for a moment only; and where locks do not work f can still be read.
func share(f *os.File) {
	for range 1000 {
		if ok, err := tryLock(f, false); ok || err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// isAt says whether the file described by info is still the one called name.
func (s *Store) isAt(name string, info fs.FileInfo) bool {
	now, err := s.root.Stat(name)
	return err == nil && os.SameFile(info, now)
}
