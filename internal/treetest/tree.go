package treetest

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// Time is when entries changed that do not say it, in seconds since 1970.
const Time = 1700000000

// An Entry is a tar header with its content.
type Entry struct {
	tar.Header

	Content []byte
}

// File returns a regular file of root's.
func File(name string, content []byte) Entry {
	return Entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}, content}
}

// Dir returns a directory.
func Dir(name string) Entry {
	return Entry{tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}, nil}
}

// Symlink returns a symbolic link.
func Symlink(name, target string) Entry {
	return Entry{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil}
}

// Link returns a further name of target.
func Link(name, target string) Entry {
	return Entry{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}, nil}
}

// Device returns a device or a pipe, as kind says, of the group 6.
func Device(kind byte, name string, major, minor int64) Entry {
	return Entry{tar.Header{Typeflag: kind, Name: name, Mode: 0o660, Devmajor: major, Devminor: minor, Gid: 6}, nil}
}

// With returns e after change.
func (e Entry) With(change func(h *tar.Header)) Entry {
	change(&e.Header)
	return e
}

// ID returns the number of an owner or a group as a header has it: where an int
// has 32 bits it can be negative.
func ID(n int64) int { return int(n) }

// Xattrs gives an entry extended attributes: names, each with its value.
func Xattrs(pairs ...string) func(h *tar.Header) {
	return func(h *tar.Header) {
		h.PAXRecords = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			h.PAXRecords["SCHILY.xattr."+pairs[i]] = pairs[i+1]
		}
	}
}

// New returns a tree of the entries.
func New(tb testing.TB, entries ...Entry) fs.FS {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		e.Format = tar.FormatPAX
		if e.ModTime.IsZero() {
			e.ModTime = time.Unix(Time, 0)
		}
		require.NoError(tb, w.WriteHeader(&e.Header))
		_, err := w.Write(e.Content)
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	r := bytes.NewReader(buf.Bytes())
	tree, err := tartree.Scan(r, r.Size())
	require.NoError(tb, err)
	return treefs.New(tree, treefs.Tar(r))
}

// Noise returns n bytes without a pattern, which cannot be packed. The lower 24
// bits of seed choose which.
func Noise(n int, seed uint64) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}
