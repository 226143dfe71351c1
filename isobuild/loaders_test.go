package isobuild_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/isobuild"
)

// pairOf returns shim and GRUB in a folder, by the name of whose they are.
func pairOf(whose string) fstest.MapFS {
	return fstest.MapFS{
		"shimx64.efi": labFile(fakeProgram("shim of " + whose + ".")),
		"grubx64.efi": labFile(fakeProgram("grub of " + whose + ".")),
	}
}

// TestWithLoaders looks at whose boot loaders are in the EFI system partition.
func TestWithLoaders(t *testing.T) {
	t.Parallel()
	own := liveRoot()
	own["usr/lib/shim/shimx64.efi.signed"] = labFile(fakeProgram("shim of root."))
	own["usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"] = labFile(fakeProgram("grub of root."))
	half := without("shimx64", "gcdx64")
	half["usr/lib/shim/shimx64.efi.signed"] = labFile(fakeProgram("shim of root."))
	place := func(trees ...fs.FS) isobuild.Option { return isobuild.WithLoaders(trees...) }
	part := func(name, whose string) fs.FS { return fstest.MapFS{name: pairOf(whose)[name]} }
	for name, tt := range map[string]struct {
		root         fs.FS
		places       []isobuild.Option
		want, absent []string
	}{
		"the root first": {own, []isobuild.Option{place(pairOf("a"))}, []string{"shim of root.", "grub of root."}, []string{"of a."}},
		"then in order":  {without("shimx64", "gcdx64"), []isobuild.Option{place(pairOf("a")), place(pairOf("b"))}, []string{"shim of a.", "grub of a."}, []string{"of b."}},
		"trees as one": {
			without("shimx64", "gcdx64"),
			[]isobuild.Option{place(part("grubx64.efi", "a"), pairOf("b"))},
			[]string{"shim of b.", "grub of a."},
			[]string{"shim of a.", "grub of b."},
		},
		"a shim alone is none": {half, []isobuild.Option{place(pairOf("a"))}, []string{"shim of a.", "grub of a."}, []string{"of root."}},
		"GRUB alone gets no shim of others": {
			half, []isobuild.Option{place(part("grubx64.efi", "a")), place(pairOf("b"))}, []string{"grub of a."}, []string{"of root.", "of b."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			esp := read(t, opened(t, built(t, tt.root, append(tt.places, isobuild.WithFirmware(isobuild.UEFI))...)), "boot/uefi.img")
			for _, text := range tt.want {
				assert.Contains(t, esp, text)
			}
			for _, text := range tt.absent {
				assert.NotContains(t, esp, text)
			}
		})
	}
}

// TestWithLoadersForBIOS has a folder that is none of GRUB's: it counts only
// where nothing was found before.
func TestWithLoadersForBIOS(t *testing.T) {
	t.Parallel()
	broken := fstest.MapFS{"i386-pc/kernel.img": labFile([]byte("?")), "i386-pc/boot.img": labFile([]byte("?"))}
	good, bios := biosLoader(t), isobuild.WithFirmware(isobuild.BIOS)
	built(t, liveRoot(), bios, isobuild.WithLoaders(good), isobuild.WithLoaders(broken))
	err := buildFails(t, liveRoot(), bios, isobuild.WithLoaders(broken), isobuild.WithLoaders(good))
	require.ErrorContains(t, err, "grub: ")
	root := liveRoot()
	for name, file := range broken {
		root["usr/lib/grub/"+name] = file
	}
	require.ErrorContains(t, buildFails(t, root, bios, isobuild.WithLoaders(good)), "grub: ", "the root comes first")
}

// TestBuildStubs has one of the texts that lead GRUB to the menu among the
// caller's files, where it stays.
func TestBuildStubs(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"EFI/BOOT/grub.cfg": labFile([]byte("my own"))}
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(files)))
	assert.Equal(t, "my own", read(t, image, "EFI/BOOT/grub.cfg"))
	for _, name := range []string{"boot/grub/grub.cfg", "EFI/debian/grub.cfg", "EFI/ubuntu/grub.cfg"} {
		assert.Contains(t, read(t, image, name), "configfile $prefix/grub.cfg", name)
	}
}
