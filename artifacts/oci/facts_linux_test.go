package oci_test

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// diskFacts says what is on disk below root.
func diskFacts(t *testing.T, root string) map[string]facts {
	t.Helper()
	all, inodes := map[string]facts{}, map[uint64]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		all[name] = fileFacts(t, path, name, inodes)
		return nil
	}))
	return all
}

func fileFacts(t *testing.T, path, name string, inodes map[uint64]string) facts {
	t.Helper()
	var st syscall.Stat_t
	require.NoError(t, syscall.Lstat(path, &st))
	f := facts{
		Mode: int64(st.Mode & 0o7777), UID: int(st.Uid), GID: int(st.Gid),
		ModTime: stamp(time.Unix(st.Mtim.Unix())), Attributes: attributes(t, path),
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		f.Type = tar.TypeDir
	case syscall.S_IFLNK:
		f.Type = tar.TypeSymlink
		var err error
		f.Link, err = os.Readlink(path)
		require.NoError(t, err)
	case syscall.S_IFCHR, syscall.S_IFBLK:
		f.Type = tar.TypeChar
		if st.Mode&syscall.S_IFMT == syscall.S_IFBLK {
			f.Type = tar.TypeBlock
		}
		f.Dev = [2]int64{int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev))}
	case syscall.S_IFIFO:
		f.Type = tar.TypeFifo
	case syscall.S_IFREG:
		f.Type, f.Size = tar.TypeReg, st.Size
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		f.Content = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	if first, ok := inodes[st.Ino]; ok && st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		f.Type, f.Link = tar.TypeLink, first
	} else {
		inodes[st.Ino] = name
	}
	return f
}

func attributes(t *testing.T, path string) map[string]string {
	t.Helper()
	list := make([]byte, 1<<16)
	n, err := unix.Llistxattr(path, list)
	require.NoError(t, err)
	all := map[string]string{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		value := make([]byte, 1<<16)
		n, err := unix.Lgetxattr(path, name, value)
		require.NoError(t, err)
		all[name] = string(value[:n])
	}
	return all
}
