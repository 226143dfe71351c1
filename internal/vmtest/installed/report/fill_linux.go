package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
)

const (
	blockSize = 4096
	chunk     = 256 * blockSize
	folder    = "/var/filled"
)

// fillRoot fills the root file system, leaves a few files of many kinds in it,
// and mounts it read-only again.
func fillRoot() (*installed.Filled, error) {
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT, ""); err != nil {
		return nil, fmt.Errorf("mounting the root read-write: %w", err)
	}
	f, err := fill()
	if err != nil {
		return nil, err
	}
	if err := leave(); err != nil {
		return nil, err
	}
	unix.Sync()
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return nil, fmt.Errorf("mounting the root read-only: %w", err)
	}
	return f, nil
}

// fill writes to the root until there is no room, reads that back from the
// disk, and deletes it.
func fill() (*installed.Filled, error) {
	if err := useReserved(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	var f installed.Filled
	var err error
	if f.Free, err = free(); err != nil {
		return nil, err
	}
	// Blocks that lie alone do not fit into one more extent of a large file.
	var files int64
	for size := int64(blockSize); size >= blockSize; files++ {
		if size, err = writeFile(files, chunk); err != nil {
			return nil, err
		}
		f.Written += size
	}
	unix.Sync()
	if f.Left, err = free(); err != nil {
		return nil, err
	}
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		return nil, err
	}
	for i := range files {
		wrong, err := checkFile(i)
		if err != nil {
			return nil, err
		}
		f.Wrong += wrong
	}
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	unix.Sync()
	f.After, err = free()
	return &f, err
}

// useReserved has ext4 give away the blocks that it holds back for its own
// trees.
func useReserved() error {
	names, err := filepath.Glob("/sys/fs/ext4/*/reserved_clusters")
	if err != nil || len(names) == 0 {
		return fmt.Errorf("no ext4 is mounted: %w", err)
	}
	for _, name := range names {
		if err := os.WriteFile(name, []byte("0"), 0); err != nil {
			return err
		}
	}
	return nil
}

// free returns how many bytes are free.
func free() (int64, error) {
	var s unix.Statfs_t
	err := unix.Statfs("/", &s)
	return int64(s.Bfree) * int64(s.Bsize), err //nolint:unconvert // Their types differ between processors.
}

func fileName(number int64) string { return fmt.Sprintf("%s/%d", folder, number) }

// block fills p with what one block of a file holds.
func block(p []byte, file, number int64) {
	for at := 0; at < len(p); at += 16 {
		binary.LittleEndian.PutUint64(p[at:], uint64(file))
		binary.LittleEndian.PutUint64(p[at+8:], uint64(number))
	}
}

// writeFile writes a file until there is no room, and returns its size.
func writeFile(number int64, unit int) (int64, error) {
	f, err := os.OpenFile(fileName(number), os.O_CREATE|os.O_WRONLY, 0o600)
	if errors.Is(err, unix.ENOSPC) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // Sync has told.
	var size int64
	buf := make([]byte, unit)
	for {
		for at := 0; at < len(buf); at += blockSize {
			block(buf[at:at+blockSize], number, (size+int64(at))/blockSize)
		}
		n, err := f.Write(buf)
		size += int64(n)
		if errors.Is(err, unix.ENOSPC) && len(buf) > blockSize {
			size -= size % blockSize
			if _, err := f.Seek(size, io.SeekStart); err != nil {
				return 0, err
			}
			buf = buf[:blockSize]
			continue
		}
		if errors.Is(err, unix.ENOSPC) {
			return size, f.Sync()
		}
		if err != nil {
			return 0, err
		}
	}
}

// checkFile returns how many bytes of a file are not as they were written.
func checkFile(number int64) (wrong int64, err error) {
	f, err := os.Open(fileName(number))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	have, want := make([]byte, blockSize), make([]byte, blockSize)
	for at := int64(0); ; at++ {
		n, err := io.ReadFull(f, have)
		block(want, number, at)
		if !bytes.Equal(have[:n], want[:n]) {
			wrong += int64(n)
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = nil
			}
			return wrong, err
		}
	}
}

// leave changes the root as a system does that is in use: it makes a folder
// with so many files that it has an index, deletes some, appends to a file, and
// replaces one. It does so once.
func leave() error {
	const dir = "/var/left"
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // As others are.
		if os.IsExist(err) {
			return nil
		}
		return err
	}
	for i := range 1500 {
		name := fmt.Sprintf("%s/a file with a longer name, number %d", dir, i)
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			return err
		}
		if i%3 == 0 {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	f, err := os.OpenFile("/etc/passwd", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString("left:x:4242:4242::/:/bin/false\n"); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.WriteFile("/etc/hostname.new", []byte("left\n"), 0o644); err != nil { //nolint:gosec // As it was.
		return err
	}
	if err := os.Rename("/etc/hostname.new", "/etc/hostname"); err != nil {
		return err
	}
	if err := unix.Setxattr("/etc/hostname", "user.left", bytes.Repeat([]byte("x"), 300), 0); err != nil {
		return err
	}
	return os.Symlink("/etc/hostname", dir+"/link")
}
