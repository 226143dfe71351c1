package diskimage_test

import (
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
)

// TestMemoryOfLargeDisks holds that memory does not grow with the disk: one of
// 1 TiB takes little more in every format than one of 1 GiB. It runs alone.
func TestMemoryOfLargeDisks(t *testing.T) {
	small, large := heapOf(t, 1<<30), heapOf(t, 1<<40)
	for name, most := range large {
		t.Logf("%-5s %5d KiB for 1 GiB, %5d KiB for 1 TiB", name, small[name]>>10, most>>10)
		assert.Less(t, most, small[name]+16<<20, name)
	}
}

// heapOf returns the most bytes that are in use while a disk of size bytes is
// opened and written in every format.
func heapOf(t *testing.T, size int64) map[string]int64 {
	t.Helper()
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	tree := fstest.MapFS{"file": smallFile("text")}
	disk := opened(t, &diskimage.Layout{Size: size, Partitions: []diskimage.Partition{
		{Size: 64 * miB, Content: diskimage.FAT("EFI", tree)},
		{Size: diskimage.Rest, Content: diskimage.Ext4("root", tree)},
	}})
	most := map[string]int64{"open": heap() - before}
	for _, f := range diskFormats() {
		report := diskimage.WithProgress(func(string, int64, int64) { most[f.name] = max(most[f.name], heap()-before) })
		f.file(t, disk, report)
	}
	_, err := diskimage.Build(t.Context(), &countingWriter{tb: t}, disk.Layout(),
		diskimage.WithProgress(func(string, int64, int64) { most["raw"] = max(most["raw"], heap()-before) }))
	require.NoError(t, err)
	_, err = disk.ReadAt(make([]byte, 1), size-1)
	require.NoError(t, err) // Until here, the disk is in use.
	return most
}
