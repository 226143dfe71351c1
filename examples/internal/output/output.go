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

	sum    hash.Hash // of what went through Writer
	stream *tee      // nil if Writer was not called
}

// Ends of names: of a file that is not complete, and of that with its digest.
const (
	partial = ".partial"
	digest  = ".sha256"
)

// Create makes a file, if there is room for so many bytes. The caller calls
// Finish.
func Create(name string, bytes int64) (*File, error) {
	if err := CheckSpace(filepath.Dir(name), bytes); err != nil {
		return nil, err
	}
	file, err := os.Create(name + partial) //nolint:gosec // The user names it.
	if err != nil {
		return nil, err
	}
	return &File{File: file, Path: name}, nil
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
// file its name and writes its digest beside it, or removes it.
func (o *File) Finish(err error) error {
	err = errors.Join(err, o.stop())
	if err == nil {
		err = o.measure()
	}
	if err == nil {
		err = o.Sync()
	}
	err = errors.Join(err, o.Close())
	if err == nil {
		err = os.Rename(o.Name(), o.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(o.Name()))
	}
	line := fmt.Sprintf("%s %s\n", o.Digest, filepath.Base(o.Path))
	return os.WriteFile(o.Path+digest, []byte(line), 0o644) //nolint:gosec // Everyone may check it.
}

// measure finds the size and the digest.
func (o *File) measure() (err error) {
	if o.Size, err = o.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	if o.sum == nil {
		o.sum = sha256.New()
		if _, err = io.Copy(o.sum, io.NewSectionReader(o.File, 0, o.Size)); err != nil {
			return err
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
