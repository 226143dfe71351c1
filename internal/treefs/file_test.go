package treefs_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// sparse returns an archive of old GNU format with a file of 12 bytes, of which
// 3 at byte 2 and 4 at byte 6 are stored.
func sparse(t *testing.T) *bytes.Reader {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "sparse", Size: 7, Format: tar.FormatGNU}))
	_, err := io.WriteString(w, "aaabbbb")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	header := buf.Bytes()[:512]
	header[156] = tar.TypeGNUSparse
	copy(header[386:], fmt.Sprintf("%011o\x00%011o\x00%011o\x00%011o\x00", 2, 3, 6, 4))
	copy(header[483:], fmt.Sprintf("%011o\x00", 12))
	copy(header[148:], "        ") // The checksum counts itself as spaces.
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00", sum))
	return bytes.NewReader(buf.Bytes())
}

func TestTarReadsSparseFiles(t *testing.T) {
	t.Parallel()

	r := sparse(t)
	tree, err := tartree.Scan(r, r.Size())
	require.NoError(t, err)
	f, err := treefs.New(tree, treefs.Tar(r)).Open("sparse")
	require.NoError(t, err)
	content, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Equal(t, "\x00\x00aaa\x00bbbb\x00\x00", string(content))

	var data [][2]int64
	start, end, ok := f.(*treefs.File).NextData(0)
	for ; ok; start, end, ok = f.(*treefs.File).NextData(end) {
		data = append(data, [2]int64{start, end})
	}
	assert.Equal(t, [][2]int64{{2, 5}, {6, 10}}, data)
	start, end, ok = f.(*treefs.File).NextData(7)
	assert.Equal(t, [3]any{int64(7), int64(10), true}, [3]any{start, end, ok})
}

func TestFile(t *testing.T) {
	t.Parallel()

	tree, r := sample(t)
	opened, err := treefs.New(tree, treefs.Tar(r)).Open("etc/passwd")
	require.NoError(t, err)
	f := opened.(*treefs.File)
	assert.Equal(t, int64(10), f.Size())
	buf := make([]byte, 20)
	n, err := f.ReadAt(buf, 4)
	assert.Equal(t, "passwd", string(buf[:n]))
	require.ErrorIs(t, err, io.EOF, "what follows in the archive does not belong to the file")
	start, end, ok := f.NextData(4)
	assert.Equal(t, [3]any{int64(4), int64(10), true}, [3]any{start, end, ok}, "all of a file that cannot tell is data")
	_, _, ok = f.NextData(10)
	assert.False(t, ok)
	_, err = f.Seek(-2, io.SeekEnd)
	require.NoError(t, err)
	rest, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Equal(t, "wd", string(rest))
	info, err := f.Stat()
	require.NoError(t, err)
	assert.Equal(t, f.Size(), info.Size())
	require.NoError(t, f.Close())
}
