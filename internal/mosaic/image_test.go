package mosaic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// model is an image and what it must read as.
func model() (*mosaic.Image, []byte) {
	inner := mosaic.New()
	inner.AddBytes(3, []byte("inner"))
	inner.SetSize(300 << 10)
	m := mosaic.New()
	m.Add(100, strings.NewReader("second, of which not all is taken"), 6)
	m.AddBytes(10, []byte("first"))
	m.AddBytes(15, []byte("next"))
	m.AddBytes(50, nil)
	m.Add(200<<10, inner, inner.Size())
	m.SetSize(700 << 10)

	want := make([]byte, 700<<10)
	copy(want[10:], "firstnext")
	copy(want[100:], "second")
	copy(want[200<<10+3:], "inner")
	return m, want
}

func TestImageReadAt(t *testing.T) {
	t.Parallel()
	m, want := model()
	require.NoError(t, m.Check())
	require.EqualValues(t, len(want), m.Size())
	got, err := io.ReadAll(io.NewSectionReader(m, 0, m.Size()))
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
	for off := range 130 {
		for n := 0; n < 130; n += 7 {
			p := bytes.Repeat([]byte{0xFF}, n)
			got, err := m.ReadAt(p, int64(off))
			require.NoError(t, err)
			require.Equal(t, n, got)
			require.Equal(t, want[off:off+n], p, "%d bytes at %d", n, off)
		}
	}
	require.NoError(t, iotest.TestReader(io.NewSectionReader(m, 0, m.Size()), want))
}

func TestImageReadAtEnds(t *testing.T) {
	t.Parallel()
	m, want := model()
	p := make([]byte, 10)
	n, err := m.ReadAt(p, int64(len(want)-4))
	assert.Equal(t, 4, n)
	assert.Equal(t, io.EOF, err)
	n, err = m.ReadAt(p, int64(len(want)+4))
	assert.Equal(t, 0, n)
	assert.Equal(t, io.EOF, err)
	_, err = m.ReadAt(p, -1)
	assert.ErrorContains(t, err, "offset -1 is negative")
}

func TestImageReadAtWhenPieceIsShort(t *testing.T) {
	t.Parallel()
	m := mosaic.New()
	m.Add(5, strings.NewReader("short"), 9)
	_, err := m.ReadAt(make([]byte, 20), 0)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "mosaic: piece at 5 of 9 bytes: ends after 5 bytes")

	broken := errors.New("broken")
	m = mosaic.New()
	m.Add(0, failing{broken}, 9)
	require.ErrorIs(t, m.Copy(t.Context(), io.Discard), broken)
}

// failing cannot be read.
type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestImageCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		build func(*mosaic.Image)
		want  string
	}{
		"overlap": {
			func(m *mosaic.Image) { m.AddBytes(10, []byte("abcd")); m.AddBytes(13, []byte("e")) },
			"piece at 13 of 1 bytes: overlaps the piece at 10 of 4 bytes",
		},
		"same place": {
			func(m *mosaic.Image) { m.AddBytes(10, []byte("abcd")); m.AddBytes(10, []byte("e")) },
			"piece at 10 of 1 bytes: overlaps the piece at 10 of 4 bytes",
		},
		"reserved": {
			func(m *mosaic.Image) { m.Reserve(10, 4); m.AddBytes(11, []byte("e")) },
			"overlaps the piece at 10 of 4 bytes",
		},
		"behind the end": {
			func(m *mosaic.Image) { m.AddBytes(10, []byte("abcd")); m.SetSize(13) },
			"piece at 10 of 4 bytes: ends behind the image of 13 bytes",
		},
		"negative": {func(m *mosaic.Image) { m.Add(-1, nil, 1) }, "out of range"},
		"huge":     {func(m *mosaic.Image) { m.Add(1<<62, nil, 1<<62) }, "out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mosaic.New()
			c.build(m)
			require.ErrorContains(t, m.Check(), c.want)
			require.ErrorContains(t, m.Copy(t.Context(), io.Discard), c.want)
			require.ErrorContains(t, m.CopyAt(t.Context(), nil), c.want)
			require.ErrorContains(t, m.CopyRangeAt(t.Context(), nil, 0, 0), c.want)
		})
	}
}

func TestImageCopy(t *testing.T) {
	t.Parallel()
	m, want := model()
	var b bytes.Buffer
	require.NoError(t, m.Copy(t.Context(), &b))
	assert.True(t, bytes.Equal(want, b.Bytes()))

	short := errors.New("short")
	require.ErrorIs(t, m.Copy(t.Context(), iotestWriter{short}), short)
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(short)
	require.ErrorIs(t, m.Copy(stopped, io.Discard), short)
	require.ErrorIs(t, m.CopyAt(stopped, nil), short)
	require.ErrorIs(t, m.Copy(t.Context(), silent{}), io.ErrShortWrite)
	require.ErrorIs(t, m.CopyAt(t.Context(), silent{}), io.ErrShortWrite)
}

// silent takes less than it is given, and says nothing.
type silent struct{}

func (silent) Write(p []byte) (int, error)            { return len(p) - 1, nil }
func (silent) WriteAt(p []byte, _ int64) (int, error) { return len(p) - 1, nil }

// iotestWriter refuses everything.
type iotestWriter struct{ err error }

func (w iotestWriter) Write([]byte) (int, error) { return 0, w.err }

func TestImageCopyAt(t *testing.T) {
	t.Parallel()
	m, want := model()
	file, err := os.Create(filepath.Join(t.TempDir(), "image"))
	require.NoError(t, err)
	defer file.Close()
	w := &ranges{WriterAt: file}
	require.NoError(t, m.CopyAt(t.Context(), w))
	// What is near each other is written together; the holes inside the last
	// piece are not written at all.
	assert.Equal(t, [][2]int64{{10, 106}, {200<<10 + 3, 200<<10 + 8}, {700<<10 - 1, 700 << 10}}, w.written)
	got, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

func TestImageCopyRangeAt(t *testing.T) {
	t.Parallel()
	m, want := model()
	file, err := os.Create(filepath.Join(t.TempDir(), "image"))
	require.NoError(t, err)
	defer file.Close()
	w := &ranges{WriterAt: file}
	for _, at := range [][2]int64{{103, m.Size()}, {12, 103}, {0, 12}, {5, 5}, {9, 1}} {
		require.NoError(t, m.CopyRangeAt(t.Context(), w, at[0], at[1]))
	}
	assert.Equal(t, [][2]int64{{103, 106}, {200<<10 + 3, 200<<10 + 8}, {700<<10 - 1, 700 << 10}, {12, 103}, {10, 12}}, w.written)
	got, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

// ranges notes what is written.
type ranges struct {
	io.WriterAt
	written [][2]int64
}

func (r *ranges) WriteAt(p []byte, off int64) (int, error) {
	r.written = append(r.written, [2]int64{off, off + int64(len(p))})
	return r.WriterAt.WriteAt(p, off)
}

func TestImageReserve(t *testing.T) {
	t.Parallel()
	m := mosaic.New()
	m.AddBytes(0, []byte("ours"))
	m.Reserve(10, 5)
	m.AddBytes(20, []byte("ours"))
	m.Reserve(30, 2)
	file, err := os.Create(filepath.Join(t.TempDir(), "image"))
	require.NoError(t, err)
	defer file.Close()
	_, err = file.WriteAt([]byte("their"), 10)
	require.NoError(t, err)
	_, err = file.WriteAt([]byte("is"), 30)
	require.NoError(t, err)
	require.NoError(t, m.CopyAt(t.Context(), file))
	got, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	assert.Equal(t, "ours\x00\x00\x00\x00\x00\x00their\x00\x00\x00\x00\x00ours\x00\x00\x00\x00\x00\x00is", string(got))
	require.ErrorContains(t, m.Copy(t.Context(), io.Discard), "piece at 10 of 5 bytes: is reserved")
}

func TestImageNextData(t *testing.T) {
	t.Parallel()
	m, _ := model()
	for off, want := range map[int64][2]int64{
		-5: {10, 15}, 0: {10, 15}, 12: {12, 15}, 15: {15, 19}, 19: {100, 106}, 106: {200<<10 + 3, 200<<10 + 8},
	} {
		start, end, ok := m.NextData(off)
		require.True(t, ok)
		assert.Equal(t, want, [2]int64{start, end}, "from %d", off)
	}
	_, _, ok := m.NextData(200<<10 + 8)
	assert.False(t, ok)
}

// says answers every question for data alike.
type says [2]int64

func (s says) NextData(int64) (start, end int64, ok bool) { return s[0], s[1], s[1] != 0 }

func TestNextData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r    any
		off  int64
		want [2]int64
	}{
		"cannot tell":           {nil, 5, [2]int64{5, 100}},
		"nothing":               {says{}, 5, [2]int64{}},
		"in it":                 {says{5, 10}, -5, [2]int64{5, 10}},
		"beyond the end":        {says{5, 1000}, 0, [2]int64{5, 100}},
		"behind the end":        {says{100, 1000}, 0, [2]int64{}},
		"asked behind the end":  {says{5, 1000}, 100, [2]int64{}},
		"backwards":             {says{5, 1}, 0, [2]int64{0, 100}},
		"of no bytes":           {says{5, 5}, 0, [2]int64{0, 100}},
		"what was before":       {says{0, 10}, 5, [2]int64{5, 100}},
		"what was before again": {says{0, 5}, 5, [2]int64{5, 100}},
	} {
		start, end, ok := mosaic.NextData(c.r, c.off, 100)
		assert.Equal(t, c.want, [2]int64{start, end}, name)
		assert.Equal(t, c.want != [2]int64{}, ok, name)
	}
}

// TestImageCopyAtWhenAPieceIsWrong checks that an answer that leads nowhere ends.
func TestImageCopyAtWhenAPieceIsWrong(t *testing.T) {
	t.Parallel()
	for _, wrong := range []says{{5, 1}, {5, 5}, {0, 1}} {
		m := mosaic.New()
		m.Add(0, struct {
			io.ReaderAt
			says
		}{bytes.NewReader([]byte("content")), wrong}, 7)
		at := make(memory, 7)
		require.NoError(t, m.CopyAt(t.Context(), at))
		assert.Equal(t, "content", string(at))
	}
}

// TestImageCopyAtWhenRandom compares both ways of writing with a plain slice.
func TestImageCopyAtWhenRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 0))
		m, want := mosaic.New(), make([]byte, 4<<20)
		for at := 0; at < len(want)-200000; at += random.IntN(200000) {
			piece := make([]byte, random.IntN(100000))
			for i := range piece {
				piece[i] = byte(random.Uint32())
			}
			at += copy(want[at:], piece)
			m.AddBytes(int64(at-len(piece)), piece)
		}
		m.SetSize(int64(len(want)))
		var b bytes.Buffer
		require.NoError(t, m.Copy(t.Context(), &b))
		require.True(t, bytes.Equal(want, b.Bytes()), "seed %d", seed)
		at := make(memory, len(want))
		require.NoError(t, m.CopyAt(t.Context(), at))
		require.True(t, bytes.Equal(want, at), "seed %d", seed)
	}
}

// memory is a file in memory.
type memory []byte

func (m memory) WriteAt(p []byte, off int64) (int, error) { return copy(m[off:], p), nil }
