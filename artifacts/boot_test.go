package artifacts_test

import (
	"archive/tar"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// bootTree is a tree as in an image of Kairos, with links from its root.
func bootTree(tb testing.TB) *artifacts.Tree {
	tb.Helper()
	r := makeTar(tb,
		tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: "usr/lib/modules/6.9.1/vmlinuz"}, "kernel"},
		tarEntry{tar.Header{Typeflag: tar.TypeSymlink, Name: "boot/vmlinuz-6.9.1", Linkname: "/usr/lib/modules/6.9.1/vmlinuz"}, ""},
		tarEntry{tar.Header{Typeflag: tar.TypeSymlink, Name: "boot/vmlinuz", Linkname: "/boot/vmlinuz-6.9.1"}, ""},
		tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: "boot/initrd-6.9.1"}, "ramdisk"},
		tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: "usr/lib/os-release"}, "ID=test\nVERSION_ID=1\n"},
		tarEntry{tar.Header{Typeflag: tar.TypeSymlink, Name: "etc/os-release", Linkname: "../usr/lib/os-release"}, ""},
	)
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(tb, err)
	return tree
}

func TestFindBoot(t *testing.T) {
	t.Parallel()

	tree := bootTree(t)
	boot, err := artifacts.FindBoot(tree)
	require.NoError(t, err)
	assert.Equal(t, &artifacts.Boot{Kernel: "usr/lib/modules/6.9.1/vmlinuz", Initrd: "boot/initrd-6.9.1", Version: "6.9.1"}, boot)
	data, err := fs.ReadFile(tree, boot.Kernel)
	require.NoError(t, err)
	assert.Equal(t, "kernel", string(data))

	_, err = artifacts.FindBoot(sampleTree(t))
	assert.EqualError(t, err, "artifacts: no kernel (vmlinuz, uImage, Image, zImage, image) and no ramdisk (initrd, initramfs) in /")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestReadRelease(t *testing.T) {
	t.Parallel()

	release, err := artifacts.ReadRelease(bootTree(t))
	require.NoError(t, err)
	assert.Equal(t, "test-1", release.Name)

	_, err = artifacts.ReadRelease(sampleTree(t))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
