package ext_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// TestNewMounts compares what a kernel of Debian sees of file systems with their
// tree.
func TestNewMounts(t *testing.T) {
	t.Parallel()
	oracle.All(t) // TestNewForKernel asks the kernel of this computer.
	var mounts []vmtest.Mount
	var want []manifest.Manifest
	for _, v := range kinds() {
		tree := oddFor(t, v)
		m, err := manifest.FS(tree)
		require.NoError(t, err)
		want = append(want, m)
		kind := "ext4"
		if v.Version == 2 {
			kind = "ext2"
		}
		mounts = append(mounts, vmtest.Mount{Image: save(t, newImage(t, tree, v)), Type: kind})
	}
	for i, result := range vmtest.ManifestsT(t, mounts...) {
		got := result.Manifest
		delete(got, "lost+found")
		assert.Empty(t, manifest.Diff(want[i], got), mounts[i].Image)
		assert.Empty(t, result.Log)
	}
}
