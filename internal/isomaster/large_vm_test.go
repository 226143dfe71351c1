package isomaster_test

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// largeSize is more than one record can hold.
const largeSize = 5<<30 + 12345

// largeDisc has a file of 5 GiB, nearly all of it holes, with another one
// behind it. The large one ends in the text that is returned.
func largeDisc(t *testing.T) (d *disc, end string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "large")
	f, err := os.Create(name)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	require.NoError(t, f.Truncate(largeSize))
	for _, at := range []int64{0, 1<<32 - 2048 - 5, 1<<32 - 2048, 1<<32 - 5, largeSize - 10} {
		_, err = f.WriteAt(fmt.Appendf(nil, "%10d", at), at)
		require.NoError(t, err)
	}
	d = newDisc(t)
	d.insert("large", &isomaster.Node{Header: header(tar.TypeReg, 0o644), Extents: d.store(f, largeSize)})
	d.file("small", "behind it", 0o644)
	d.finish()
	return d, fmt.Sprintf("%10d", int64(largeSize-10))
}

func TestLargeFile(t *testing.T) {
	t.Parallel()

	d, end := largeDisc(t)
	tree, err := iso9660.Open(d.image, d.image.Size())
	require.NoError(t, err)
	extents, err := tree.Extents("large")
	require.NoError(t, err)
	total := int64(0)
	for _, e := range extents {
		total += e.Size
	}
	assert.Equal(t, int64(largeSize), total)
	f, err := tree.Open("large")
	require.NoError(t, err)
	got := make([]byte, 10)
	for _, at := range []int64{1<<32 - 2048, largeSize - 10} {
		_, err = f.(io.ReaderAt).ReadAt(got, at)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%10d", at), string(got))
	}
	assert.Equal(t, end, string(got))
}

// TestLargeFileElsewhere reads it with the kernel, xorriso and GRUB.
func TestLargeFileElsewhere(t *testing.T) {
	t.Parallel()
	oracle.All(t)

	d, end := largeDisc(t)
	iso := d.save()
	tail := filepath.Join(t.TempDir(), "tail")
	run(t, "xorriso", "-osirrox", "on", "-indev", iso, "-extract_cut", "/large", fmt.Sprint(int64(largeSize-10)), "10", tail)
	got, err := os.ReadFile(tail)
	require.NoError(t, err)
	assert.Equal(t, end, string(got))
	assert.Contains(t, run(t, "grub-fstest", iso, "ls", "--", "-l", "(loop0)/"), fmt.Sprintf("%d ", int64(largeSize)))

	tree, err := iso9660.Open(d.image, d.image.Size())
	require.NoError(t, err)
	want, err := manifest.FS(tree)
	require.NoError(t, err)
	results := vmtest.ManifestsT(t, vmtest.Mount{Image: iso, Type: "iso9660"})
	assert.Empty(t, manifest.Diff(want, results[0].Manifest))
}

// TestManyFiles is the largest tree that somebody is likely to make.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	oracle.All(t)

	d := newDisc(t)
	for i := range 100_000 {
		d.file(fmt.Sprintf("%s/folder %d/a file with the number %d", strings.Repeat("x", i%3+1), i%300, i), "", 0o644)
	}
	d.finish()
	iso := d.save()
	out := run(t, "xorriso", "-indev", iso, "-find", "/", "-type", "f", "-exec", "report_lba")
	assert.Equal(t, 100_000, strings.Count(out, "a file with the number"))
	results := vmtest.ManifestsT(t, vmtest.Mount{Image: iso, Type: "iso9660"})
	assert.Empty(t, manifest.Diff(d.want, results[0].Manifest))
}
