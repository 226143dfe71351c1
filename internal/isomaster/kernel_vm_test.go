package isomaster_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// TestKernel lets Linux read all trees.
func TestKernel(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, linux)
	d.finish()
	most := linux
	most.few = true
	small := oddDisc(t, most)
	image, file := small.finish(), small.save()
	results := vmtest.ManifestsT(
		t,
		vmtest.Mount{Image: d.save(), Type: "iso9660"},
		vmtest.Mount{Image: file, Type: "iso9660", Offset: 16 * iso9660.BlockSize},
		vmtest.Mount{Image: file, Type: "iso9660", Options: "norock,utf8"},
		vmtest.Mount{Image: file, Type: "iso9660", Options: "norock,nojoliet"},
		vmtest.Mount{Image: file, Type: "iso9660", Options: "norock,utf8", Offset: 16 * iso9660.BlockSize},
	)
	for _, r := range results {
		assert.NotRegexp(t, "(?i)isofs|rock|iso ?9660|I/O error", r.Log)
	}
	seen := func(_ string, e *manifest.Entry) { e.Same = "" } // It knows how many names a file has, not which.
	assert.Empty(t, manifest.Diff(d.want.Edit(seen), results[0].Manifest))
	assert.Empty(t, manifest.Diff(small.inPartition().Edit(seen), results[1].Manifest))
	joliet := listed(t, image, iso9660.Joliet)
	assert.Empty(t, manifest.Diff(joliet, results[2].Manifest.Edit(contents)))
	assert.Empty(t, manifest.Diff(lower(listed(t, image, iso9660.Plain)), lower(results[3].Manifest.Edit(contents))))
	delete(joliet, "boot/uefi.img")
	assert.Empty(t, manifest.Diff(joliet, results[4].Manifest.Edit(contents)))
}

// listed is what our reader reads, which other tests check.
func listed(t *testing.T, image *mosaic.Image, names iso9660.Names) manifest.Manifest {
	t.Helper()
	tree, err := iso9660.Open(image, image.Size(), iso9660.WithNames(names))
	require.NoError(t, err)
	m, err := manifest.FS(tree)
	require.NoError(t, err)
	return m.Edit(contents)
}

// contents leaves of an entry what there is without Rock Ridge.
func contents(_ string, e *manifest.Entry) {
	*e = manifest.Entry{Mode: e.Mode.Type(), Size: e.Size, Sum: e.Sum, ModTime: e.ModTime}
}

// lower has all paths in small letters, as Linux does with plain names.
func lower(m manifest.Manifest) manifest.Manifest {
	out := manifest.Manifest{}
	for p, e := range m {
		out[strings.ToLower(p)] = e
	}
	return out
}
