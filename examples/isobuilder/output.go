package main

import (
	"bufio"
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
)

// An output is the file that an image is written to. It has another name until
// it is complete.
type output struct {
	name   string
	file   *os.File
	sum    hash.Hash     // of what went through writer
	stream *bufio.Writer // nil if the file is written in no order
	digest string
	size   int64
}

// partial is the end of the name of a file that is not complete.
const partial = ".partial"

// create makes the file, if there is room for so many bytes.
func create(name string, bytes int64) (*output, error) {
	if err := checkSpace(filepath.Dir(name), bytes); err != nil {
		return nil, err
	}
	file, err := os.Create(name + partial) //nolint:gosec // The user names it.
	if err != nil {
		return nil, err
	}
	return &output{name: name, file: file}, nil
}

// writer returns where an image goes that is written from front to end; its
// digest is then known without reading it again.
func (o *output) writer() io.Writer {
	o.sum = sha256.New()
	o.stream = bufio.NewWriterSize(o.file, 1<<20)
	return io.MultiWriter(o.stream, o.sum)
}

// finish ends the work on the file, of which err is the outcome: it gives the
// file its name and writes its digest beside it, or removes it.
func (o *output) finish(err error) error {
	if err == nil && o.stream != nil {
		err = o.stream.Flush()
	}
	if err == nil {
		err = o.measure()
	}
	if err == nil {
		err = o.file.Sync()
	}
	err = errors.Join(err, o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(o.file.Name()))
	}
	line := fmt.Sprintf("%s %s\n", o.digest, filepath.Base(o.name))
	return os.WriteFile(o.name+".sha256", []byte(line), 0o644) //nolint:gosec // Everyone may check it.
}

// measure finds the size and the digest.
func (o *output) measure() (err error) {
	if o.size, err = o.file.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	if o.sum == nil {
		o.sum = sha256.New()
		if _, err = io.Copy(o.sum, io.NewSectionReader(o.file, 0, o.size)); err != nil {
			return err
		}
	}
	o.digest = hex.EncodeToString(o.sum.Sum(nil))
	return nil
}

// summary says what was made and how to try it.
func (o *output) summary() string {
	return fmt.Sprintf(`%s
  size    %s (%d bytes)
  sha256  %s
write it to a USB stick, which loses all that is on it:
  dd if=%s of=/dev/sdX bs=4M conv=fsync
try it:
  qemu-system-x86_64 -m 2048 -accel kvm -cdrom %s
`, o.name, progress.Bytes(o.size), o.size, o.digest, o.name, o.name)
}

// estimate returns how many bytes an image of a tree takes at the least: a
// third of the tree's files, which is what they can hardly be compressed below.
func estimate(tree fs.FS) int64 {
	var sum int64
	_ = fs.WalkDir(tree, ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // The build itself will say it better.
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum / 3
}

// checkSpace reports whether a folder has room for so many bytes.
func checkSpace(dir string, bytes int64) error {
	free, err := freeSpace(dir)
	if err != nil {
		return err
	}
	if free < bytes {
		return fmt.Errorf("%s has %s left, the image takes %s or more", dir, progress.Bytes(free), progress.Bytes(bytes))
	}
	return nil
}
