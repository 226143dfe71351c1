package output

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/netbootkit/netbootkit/examples/internal/progress"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// A File is the file that an image is written to: in any order, or in that of
// [File.Writer]. It has another name until [File.Finish].
type File struct {
	*os.File
	Path   string // its name, when it is complete
	Digest string // SHA-256 in hexadecimal; set by Finish
	Size   int64  // in bytes; set by Finish

	held   io.Closer // keeps others from the file until it has its name
	sum    hash.Hash // of what went through Writer
	stream *tee      // nil if Writer was not called
}

// Ends of names: of a file that is not complete, and of that with its digest.
const (
	partial = ".partial"
	digest  = ".sha256"
)

// Create makes a file, if [Check] and the room for so many bytes allow it, and no
// other program is making it. The caller calls Finish.
func Create(name string, bytes int64) (*File, error) {
	if err := Check(name); err != nil {
		return nil, err
	}
	if err := CheckSpace(filepath.Dir(name), bytes); err != nil {
		return nil, err
	}
	for {
		file, err := os.OpenFile(name+partial, os.O_RDWR|os.O_CREATE, 0o666) //nolint:gosec // The user names it, and has a umask.
		if err != nil {
			return nil, err
		}
		held, err := lock(file)
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		o := &File{File: file, Path: name, held: held}
		if o.named() {
			return o, o.Truncate(0) // An earlier program may have been killed.
		}
		_ = errors.Join(file.Close(), held.Close()) // Another program has just completed that one.
	}
}

// named says whether the file still has the name that it was opened by.
func (o *File) named() bool {
	mine, err := o.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(o.Name())
	return err == nil && os.SameFile(mine, there)
}

// Writer returns where an image goes that is written from front to end; its
// digest is then known without reading it again.
func (o *File) Writer() io.Writer {
	_ = o.stop() // What was written before is written anew.
	o.sum = sha256.New()
	o.stream = newTee(o.File, o.sum)
	return o.stream
}

// stop waits until what went through Writer is written.
func (o *File) stop() error {
	if o.stream == nil {
		return nil
	}
	err := o.stream.Close()
	o.stream = nil
	return err
}

// Finish ends the work on the file, of which err is the outcome: it gives the
// file its name and writes its digest beside it, or removes it, also if ctx ends
// first.
func (o *File) Finish(ctx context.Context, err error) error {
	if stopped := o.stop(); err == nil { // Else err has it, if it is the reason.
		err = stopped
	}
	if err == nil {
		err = o.measure(ctx)
	}
	if err == nil {
		err = o.Sync()
	}
	err = errors.Join(err, o.Close())
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = o.publish()
	}
	if err != nil {
		err = errors.Join(err, removed(o.Name()))
	}
	return errors.Join(err, o.held.Close())
}

// publish gives the file and that with its digest their names, when both are
// there.
func (o *File) publish() error {
	sum := o.Path + digest
	line := fmt.Sprintf("%s %s\n", o.Digest, filepath.Base(o.Path))
	err := os.WriteFile(sum+partial, []byte(line), 0o644) //nolint:gosec // Everyone may check it.
	if err == nil {
		err = os.Rename(o.Name(), o.Path)
	}
	if err == nil {
		err = os.Rename(sum+partial, sum)
	}
	if err != nil {
		err = errors.Join(err, removed(sum+partial))
	}
	return err
}

// removed removes a file if it is there.
func removed(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// measure finds the size and the digest.
func (o *File) measure(ctx context.Context) (err error) {
	if o.Size, err = o.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	if o.sum == nil {
		o.sum = sha256.New()
		const most = 16 << 20 // bytes that are read whatever becomes of ctx
		for off := int64(0); off < o.Size; off += most {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if _, err = io.Copy(o.sum, io.NewSectionReader(o.File, off, min(most, o.Size-off))); err != nil {
				return err
			}
		}
	}
	o.Digest = hex.EncodeToString(o.sum.Sum(nil))
	return nil
}

// String says what was made.
func (o *File) String() string {
	return fmt.Sprintf("%s\n  size    %s (%d bytes)\n  sha256  %s\n", o.Path, progress.Bytes(o.Size), o.Size, o.Digest)
}

// Sum returns how many bytes the files of a tree have, without their holes, and
// those of a file with several names once. What cannot be read does not count: the
// build itself will say it better.
func Sum(tree fs.FS) int64 {
	sum, _ := treefs.DataSize(context.Background(), tree)
	return sum
}

// CheckSpace reports whether a folder has room for so many bytes.
func CheckSpace(dir string, bytes int64) error {
	free, err := freeSpace(dir)
	if err != nil {
		return err
	}
	if free < bytes {
		return fmt.Errorf("%s has %s left, the image takes %s or more", dir, progress.Bytes(free), progress.Bytes(bytes))
	}
	return nil
}
