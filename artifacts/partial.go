package artifacts

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"path"
	"time"
)

const (
	partialDir  = "partial"
	stateSuffix = ".json"
	nextSuffix  = ".new" // of a state that is being written
)

// A partial is a file on its way into the store. Nobody else has it: the file
// is its own lock. What is in it survives the process, so that another goes
// on with it.
type partial struct {
	s      *Store
	name   string
	file   *os.File
	gone   bool // it was removed
	useful bool // another process can go on with it
}

// partialState says what is in a partial file.
type partialState struct {
	Source  string    `json:"source"`
	Size    int64     `json:"size"`
	ETag    string    `json:"etag,omitempty"`
	ModTime time.Time `json:"modified,omitzero"`
}

// lockPartial returns the partial file for key, once no process has it.
func (s *Store) lockPartial(ctx context.Context, key string) (*partial, error) {
	p := &partial{s: s, name: path.Join(partialDir, key)}
	if !locks {
		p.name += "-" + rand.Text()
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		ok, err := p.open()
		if err != nil {
			return nil, s.disk(err)
		}
		if ok {
			return p, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// open opens and locks the file, unless somebody else has it.
func (p *partial) open() (bool, error) {
	f, err := p.s.root.OpenFile(p.name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	ok, err := tryLock(f, true)
	if err == nil && ok {
		info, err := f.Stat()
		// It may be stored or removed by now, and this one of no use.
		if err == nil && p.s.isAt(p.name, info) {
			p.file = f
			return true, nil
		}
	}
	_ = f.Close() // Nothing was written.
	return false, err
}

func (p *partial) stateName() string { return p.name + stateSuffix }

// size returns how many bytes there are.
func (p *partial) size() int64 {
	info, err := p.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// state returns what is known about the bytes; ok is false if it is nothing.
func (p *partial) state() (state partialState, ok bool) {
	err := p.s.readJSON(p.stateName(), &state)
	return state, err == nil
}

// restart empties the file, for the version of the source that info is about.
func (p *partial) restart(info Info, source string) error {
	err := p.file.Truncate(0)
	if err == nil {
		_, err = p.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return p.s.disk(err)
	}
	state := partialState{Source: source, Size: info.Size, ETag: info.ETag, ModTime: info.ModTime}
	return p.s.writeJSON(p.stateName(), p.stateName()+nextSuffix, state)
}

// commit turns the file into the stored one with info.Digest, and returns
// that, open. Note is called before: once the file has its new name, others
// may have the old one, and look for what note remembered.
func (p *partial) commit(info Info, note func(Info) error) (*File, error) {
	if err := p.finish(info, note); err != nil {
		p.discard()
		return nil, p.s.disk(err)
	}
	p.gone = true
	f, err := p.s.root.Open(blobFile(info.Digest)) // Nobody removes it while it is locked.
	if err != nil {
		return nil, p.s.disk(err)
	}
	p.close()
	share(f)
	return &File{File: f, info: info}, nil
}

// finish brings the file to the disk, and to its place.
func (p *partial) finish(info Info, note func(Info) error) error {
	if err := p.file.Sync(); err != nil {
		return err
	}
	if err := note(info); err != nil {
		return err
	}
	_ = p.s.root.Remove(p.stateName()) // It can be missing.
	if !locks {
		p.close() // Where there are no locks, open files cannot be renamed either.
	}
	name := blobFile(info.Digest)
	if err := p.s.root.Rename(p.name, name); err != nil {
		return err
	}
	if err := p.s.root.Chmod(name, blobMode); err != nil {
		return err
	}
	return p.s.syncDir(blobDir)
}

// discard removes the file. A second time does nothing: somebody else may
// have made one of that name.
func (p *partial) discard() {
	if p.gone {
		return
	}
	p.gone = true
	_ = p.s.root.Remove(p.stateName()) // The file itself tells whether that worked.
	if !locks {
		p.close()
	}
	_ = p.s.root.Remove(p.name) // Prune removes what stays.
}

// close gives the file up to whoever wants it next.
func (p *partial) close() { _ = p.file.Close() } // A second time does no harm.

// syncDir makes renames in a folder last, where folders can be synced.
func (s *Store) syncDir(name string) error {
	dir, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // It was only read.
	if locks {
		return dir.Sync()
	}
	return nil
}
