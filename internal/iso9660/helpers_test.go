package iso9660_test

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// openISO opens the image in the file called name.
func openISO(t *testing.T, name string, opts ...iso9660.Option) *iso9660.Image {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	require.NoError(t, err)
	im, err := iso9660.Open(f, info.Size(), opts...)
	require.NoError(t, err)
	return im
}

// manifest returns a line for everything in fsys, with all that a tar header
// says; directories have no size, links no time.
func manifest(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var lines []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		h := info.Sys().(*tar.Header)
		line := fmt.Sprintf("%s %c %o %d:%d", name, h.Typeflag, h.Mode, h.Uid, h.Gid)
		switch h.Typeflag {
		case tar.TypeReg:
			line += fmt.Sprintf(" %d %d %s", h.Size, h.ModTime.Unix(), digest(t, fsys, name))
		case tar.TypeSymlink:
			line += " -> " + h.Linkname
		case tar.TypeLink:
			line += " = " + h.Linkname
		case tar.TypeChar, tar.TypeBlock:
			line += fmt.Sprintf(" %d,%d", h.Devmajor, h.Devminor)
		}
		lines = append(lines, line)
		return nil
	})
	require.NoError(t, err)
	return lines
}

func digest(t *testing.T, fsys fs.FS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	require.NoError(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	require.NoError(t, err)
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// names returns the paths of everything in fsys.
func names(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var list []string
	require.NoError(t, fs.WalkDir(fsys, ".", func(name string, _ fs.DirEntry, err error) error {
		list = append(list, name)
		return err
	}))
	return list
}

// put writes a file, and makes the directories above it.
func put(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

// old is the time of everything in the trees of tests.
func old() time.Time { return time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC) }

// settle gives everything below dir the same time.
func settle(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Type() == fs.ModeSymlink {
			return err
		}
		return os.Chtimes(name, old(), old())
	}))
}
