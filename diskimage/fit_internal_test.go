package diskimage

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

// fitDisk returns a small disk with a GPT.
func fitDisk(tb testing.TB, size int64) *Disk {
	tb.Helper()
	disk, err := Open(tb.Context(), &Layout{Size: size, Boot: []byte("code"), Partitions: []Partition{
		{Label: "a", Content: Raw(strings.NewReader("text"))}, {Label: "b", Attributes: Required},
	}})
	require.NoError(tb, err)
	return disk
}

func content(tb testing.TB, f File) []byte {
	tb.Helper()
	b := make([]byte, f.Size())
	_, err := io.ReadFull(io.NewSectionReader(f, 0, f.Size()), b)
	require.NoError(tb, err)
	return b
}

func TestFitMovesTheBackup(t *testing.T) {
	t.Parallel()
	disk := fitDisk(t, 4*MiB)
	got, err := fit(disk, 7*MiB)
	require.NoError(t, err)
	require.Equal(t, int64(7*MiB), got.Size())
	want := *disk.layout
	want.Size = 7 * MiB
	whole, err := Open(t.Context(), &want)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content(t, whole), content(t, got)), "as if it had been made with that size")

	// Its holes are known.
	start, end, ok := got.(Sparse).NextData(MiB + 5)
	require.True(t, ok)
	assert.Equal(t, int64(7*MiB-gpt.TailSize), start)
	assert.Equal(t, got.Size(), end)

	same, err := fit(disk, disk.Size())
	require.NoError(t, err)
	assert.Same(t, disk, same)
}

func TestFitWhenTheFileHasGrownAlready(t *testing.T) {
	t.Parallel()
	disk := fitDisk(t, 4*MiB)
	file := append(content(t, disk), make([]byte, 3*MiB)...)
	for _, size := range []int64{7 * MiB, 8 * MiB} {
		got, err := fit(bytes.NewReader(file), size)
		require.NoError(t, err)
		require.Equal(t, size, got.Size())
		blank := content(t, got)
		clear(blank[4*MiB-gpt.TailSize : 4*MiB]) // Free space, where the old backup lies on.
		want := *disk.layout
		want.Size = size
		whole, err := Open(t.Context(), &want)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(content(t, whole), blank), size)
	}
}

func TestFitKeepsTheBootRecord(t *testing.T) {
	t.Parallel()
	b := content(t, fitDisk(t, 4*MiB))
	copy(b[mbrSignature:], "\x11\x22\x33\x44")
	b[mbrSlots] = mbrActive
	hybrid := b[mbrSlots+mbrSlotSize : mbrSlots+2*mbrSlotSize]
	copy(hybrid, []byte{0, 0, 2, 0, 0x83, 0, 3, 0, 0, 8, 0, 0, 0, 8, 0, 0})
	got, err := fit(bytes.NewReader(b), 8*MiB)
	require.NoError(t, err)
	sector := content(t, got)[:sectorSize]
	assert.Equal(t, b[:mbrSlots+1], sector[:mbrSlots+1])
	assert.Equal(t, hybrid, sector[mbrSlots+mbrSlotSize:mbrSlots+2*mbrSlotSize])
	assert.Equal(t, []byte{0xFF, 0x3F, 0, 0}, sector[mbrSlots+12:mbrSlots+16], "the protective partition covers all")
}

func TestFitWithoutGPT(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 100, 512, MiB, MiB + 1} {
		raw := bytes.Repeat([]byte{7}, size)
		got, err := fit(bytes.NewReader(raw), 2*MiB)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(append(raw, make([]byte, 2*MiB-size)...), content(t, got)), size)
	}
}

func TestFitFails(t *testing.T) {
	t.Parallel()
	disk := fitDisk(t, 4*MiB)
	_, err := fit(disk, 3*MiB)
	require.EqualError(t, err, "the converted disk has 3 MiB and needs 4 MiB, which is 1 MiB more")
	_, err = fit(disk, 4*MiB+1)
	require.ErrorContains(t, err, "want a multiple of 512")
}
