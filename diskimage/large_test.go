package diskimage_test

import (
	"io"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
)

// countingWriter counts what is written, and finds bytes that are written twice.
type countingWriter struct {
	tb        testing.TB
	n, behind int64
}

// WriteAt implements [io.WriterAt].
func (w *countingWriter) WriteAt(p []byte, off int64) (int, error) {
	if off < w.behind {
		w.tb.Errorf("%d bytes at %d are written twice or out of order", len(p), off)
	}
	w.n, w.behind = w.n+int64(len(p)), off+int64(len(p))
	return len(p), nil
}

// TestLargeDisksStaySparse builds disks of 16 GiB with 400 MiB of content.
func TestLargeDisksStaySparse(t *testing.T) {
	t.Parallel()
	const content = 40 * miB // Ten files have one content in memory.
	data := make([]byte, content)
	_, err := io.ReadFull(rand.NewChaCha8([32]byte{1}), data)
	require.NoError(t, err)
	root := smallRoot()
	for _, c := range "0123456789" {
		root["usr/lib/"+string(c)] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	for name, preset := range map[string]func() (*diskimage.Layout, error){
		"plain": func() (*diskimage.Layout, error) {
			return diskimage.Plain(t.Context(), root, diskimage.FirmwareUEFI, diskimage.WithSize(16<<10))
		},
		"efi": func() (*diskimage.Layout, error) {
			return diskimage.EFI(t.Context(), root, diskimage.WithSize(16<<10), diskimage.WithRecoverySize(4<<10), diskimage.WithStateSize(5<<10))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := preset()
			require.NoError(t, err)
			w := &countingWriter{tb: t}
			size, err := diskimage.Build(t.Context(), w, l)
			require.NoError(t, err)
			assert.Equal(t, int64(16<<30), size)
			assert.Equal(t, size, w.behind)
			assert.Less(t, float64(w.n), 1.1*10*content)
			t.Logf("%d bytes written, %.3f of the content", w.n, float64(w.n)/(10*content))
		})
	}
}
