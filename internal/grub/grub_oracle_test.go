package grub_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/grub"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// installed returns the folder of GRUB on this computer.
func installed(tb testing.TB) string {
	tb.Helper()
	return filepath.Dir(oracle.File(tb, "/usr/lib/grub/i386-pc/kernel.img"))
}

// mkimage returns what grub-mkimage composes.
func mkimage(t *testing.T, format, prefix string, names []string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image")
	args := append([]string{"-d", installed(t), "-O", format, "-p", prefix, "-o", out}, names...)
	oracle.Run(t, "grub-mkimage", args...)
	image, err := os.ReadFile(out)
	require.NoError(t, err)
	return image
}

// TestAsMkimage compares images with grub-mkimage's: what is outside of the
// compressed stream, except for the fields with its length, and what the stream
// unpacks to.
func TestAsMkimage(t *testing.T) {
	t.Parallel()
	folder := os.DirFS(installed(t))
	decompressor, err := os.ReadFile(filepath.Join(installed(t), "lzma_decompress.img"))
	require.NoError(t, err)
	for _, test := range []struct {
		name, prefix string
		modules      []string
	}{
		{"ISO", "/boot/grub2", grub.ISOModules()},
		{"disk", "(,gpt3)/grub2", grub.DiskModules()},
		{"none", "", nil},
		{"in another order", "/x", []string{"normal", "ext2", "biosdisk", "iso9660", "xfs", "btrfs", "normal"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ours, err := grub.ElTorito(folder, test.prefix, test.modules)
			require.NoError(t, err)
			theirs := mkimage(t, "i386-pc-eltorito", test.prefix, test.modules)
			same(t, theirs, ours, 2048, len(decompressor))

			ours, err = grub.DiskCore(folder, test.prefix, test.modules, 1)
			require.NoError(t, err)
			same(t, mkimage(t, "i386-pc", test.prefix, test.modules), ours, 0, len(decompressor))
		})
	}
}

// same compares two images, in which diskboot.img is at a given byte.
func same(t *testing.T, theirs, ours []byte, disk, decompressor int) {
	t.Helper()
	core := disk + 512
	wantPlain, wantPacked := unpack(t, theirs[core:], decompressor)
	gotPlain, gotPacked := unpack(t, ours[core:], decompressor)
	assert.True(t, bytes.Equal(wantPlain, gotPlain), "what the streams unpack to")
	t.Logf("%d bytes packed to %d, by grub-mkimage to %d", len(gotPlain), gotPacked, wantPacked)
	want, got := theirs[:core+decompressor], ours[:core+decompressor]
	for _, field := range [][2]int{{disk + 0x1fc, 2}, {core + 8, 4}} {
		clear(want[field[0] : field[0]+field[1]])
		clear(got[field[0] : field[0]+field[1]])
	}
	assert.True(t, bytes.Equal(want, got), "what is not compressed")
}

// TestPlaceAsXorriso compares what Place fills in with what xorriso does.
func TestPlaceAsXorriso(t *testing.T) {
	t.Parallel()
	image, err := grub.ElTorito(os.DirFS(installed(t)), "/boot/grub2", grub.ISOModules())
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out.iso")
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-o", out, "-b", "boot/eltorito.img", "-no-emul-boot",
		"-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info", source(t, image))
	iso, err := os.ReadFile(out)
	require.NoError(t, err)
	start := bytes.Index(iso, image[64:2500])
	require.Positive(t, start)
	at := start - 64
	require.NoError(t, grub.Place(image, uint32(at/2048)))
	assert.True(t, bytes.Equal(iso[at:at+len(image)], image))
}
