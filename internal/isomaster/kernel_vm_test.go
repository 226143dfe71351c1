package isomaster_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

func TestKernel(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, linux)
	d.finish()
	iso := d.save()
	results := vmtest.ManifestsT(
		t,
		vmtest.Mount{Image: iso, Type: "iso9660"},
		vmtest.Mount{Image: iso, Type: "iso9660", Offset: 16 * iso9660.BlockSize},
		vmtest.Mount{Image: iso, Type: "iso9660", Options: "norock,utf8"},
		vmtest.Mount{Image: iso, Type: "iso9660", Options: "norock,nojoliet"},
	)
	assert.Empty(t, manifest.Diff(d.want, results[0].Manifest))
	assert.Empty(t, manifest.Diff(d.inPartition(), results[1].Manifest))
	for _, r := range results {
		assert.Empty(t, r.Log)
	}
	for i, r := range results[2:] {
		for _, p := range r.Manifest.Paths() {
			t.Log(i, p, r.Manifest[p])
		}
	}
}
