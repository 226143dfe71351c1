package squashfs_test

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// fuzzBytes is how much of one file a fuzz target reads.
const fuzzBytes = 1 << 20

// FuzzOpen reads any bytes as an image: what is accepted can be walked, keeps
// to the contract, and gives the same bytes however it is read.
func FuzzOpen(f *testing.F) {
	for _, name := range append(samples(), "stored") {
		image := sample(f, name)
		f.Add(image)
		// Every field of the superblock, once as large as it can be.
		for at := 0; at < 96; at += 4 {
			changed := bytes.Clone(image)
			binary.LittleEndian.PutUint32(changed[at:], 1<<32-1)
			f.Add(changed)
		}
		for at := 100; at < len(image); at += len(image)/16 + 1 {
			changed := bytes.Clone(image)
			changed[at] ^= 0x55
			f.Add(changed)
		}
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		tree, err := squashfs.Open(bytes.NewReader(image), int64(len(image)), squashfs.WithCacheSize(1<<20))
		if err != nil {
			return
		}
		require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
			require.NoError(t, err)
			checkEntry(t, tree, name, d)
			return nil
		}))
	})
}

// checkEntry looks at all that there is to see of an entry.
func checkEntry(t *testing.T, tree *squashfs.FS, name string, d fs.DirEntry) {
	t.Helper()
	info, err := d.Info()
	require.NoError(t, err)
	h := info.Sys().(*tar.Header)
	if h.Typeflag == tar.TypeLink {
		first, err := tree.Lstat(h.Linkname)
		require.NoError(t, err)
		assert.NotEqual(t, byte(tar.TypeLink), first.Sys().(*tar.Header).Typeflag)
		assert.Less(t, h.Linkname, name+"\xff")
	}
	switch info.Mode().Type() {
	case fs.ModeSymlink:
		target, err := tree.ReadLink(name)
		require.NoError(t, err)
		require.NotEmpty(t, target)
		_, _ = tree.Stat(name)
	case 0:
		checkContent(t, tree, name, info.Size())
	}
}

// checkContent reads a file in two ways.
func checkContent(t *testing.T, tree *squashfs.FS, name string, size int64) {
	t.Helper()
	f, err := tree.Open(name)
	if err != nil {
		return
	}
	if size > fuzzBytes {
		_, _ = io.CopyN(io.Discard, struct{ io.Reader }{f}, fuzzBytes)
		return
	}
	var whole bytes.Buffer
	_, err = f.(io.WriterTo).WriteTo(&whole)
	parts := make([]byte, 0, size)
	var partErr error
	for off := int64(0); partErr == nil; off += 1000 {
		part := make([]byte, 1000)
		var n int
		n, partErr = f.(io.ReaderAt).ReadAt(part, off)
		parts = append(parts, part[:n]...)
	}
	if !errors.Is(partErr, io.EOF) || err != nil {
		assert.Error(t, err, name)
		assert.False(t, errors.Is(partErr, io.EOF), name)
		return
	}
	assert.Equal(t, size, int64(whole.Len()))
	assert.True(t, bytes.Equal(whole.Bytes(), parts), name)
}
