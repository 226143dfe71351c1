//go:build linux

package iso9660_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// oddTree makes a tree with much that is rare. Devices need root.
func oddTree(t *testing.T) string {
	t.Helper()
	oracle.Root(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for i := range 300 {
		put(t, at(fmt.Sprintf("many/file-%04d.conf", i)), strings.Repeat("x", i))
	}
	put(t, at("1/2/3/4/5/6/7/8/9/10/11/12/deep"), "deep")
	put(t, at("1/2/3/4/5/6/7/8/other/file"), "other")
	put(t, at("other/other/a"), "a")
	put(t, at(".hidden"), "hidden")
	put(t, at("with blank"), "blank")
	put(t, at("ünï/日本語.txt"), "text")
	put(t, at("empty"), "")
	put(t, at("block"), strings.Repeat("b", 2048))
	put(t, at(strings.Repeat("n", 240)), "long name")
	put(t, at("suid"), "suid")
	put(t, at("owned"), "owned")
	require.NoError(t, os.Link(at("owned"), at("zlink")))
	require.NoError(t, os.Link(at("owned"), at("many/zlink")))
	require.NoError(t, os.Symlink("/etc/passwd", at("absolute")))
	require.NoError(t, os.Symlink("../x/./y/../z", at("many/dots")))
	require.NoError(t, os.Symlink(strings.Repeat("component/", 60)+"end", at("longlink")))
	require.NoError(t, os.Symlink(strings.Repeat("l", 250), at(strings.Repeat("m", 200))))
	require.NoError(t, os.Symlink("/", at("rootlink")))
	require.NoError(t, os.Chmod(at("suid"), 0o755|os.ModeSetuid))
	require.NoError(t, os.Chmod(at("many"), 0o777|os.ModeSticky))
	owner := uint32(4000000000) // An int of 32 bits is negative then.
	require.NoError(t, os.Lchown(at("owned"), int(owner), 1234))
	require.NoError(t, os.Chown(at("suid"), 7, 8))
	require.NoError(t, syscall.Mknod(at("sda"), syscall.S_IFBLK|0o660, 8<<8))
	require.NoError(t, syscall.Mknod(at("tty"), syscall.S_IFCHR|0o620, 4<<8|64))
	require.NoError(t, syscall.Mkfifo(at("fifo"), 0o600))
	settle(t, dir)
	return dir
}

// openDir returns the tree of a directory.
func openDir(t *testing.T, dir string) *artifacts.Tree {
	t.Helper()
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	tree, err := artifacts.OpenDir(t.Context(), root)
	require.NoError(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

// source returns the manifest of a directory.
func source(t *testing.T, dir string) []string {
	t.Helper()
	return manifest(t, openDir(t, dir))
}

func TestOpenWritersOfRockRidge(t *testing.T) {
	t.Parallel()

	dir := oddTree(t)
	want := source(t, dir)
	for name, args := range map[string][]string{
		"xorriso":             {"xorriso", "-as", "mkisofs", "-R", "-J", "-joliet-long", "--hardlinks"},
		"xorriso relocated":   {"xorriso", "-as", "mkisofs", "-R", "--hardlinks", "-D"},
		"xorriso plain names": {"xorriso", "-as", "mkisofs", "-R", "--hardlinks", "-iso-level", "1"},
		"xorriso AAIP":        {"xorriso", "-as", "mkisofs", "-R", "--hardlinks", "--xattr", "--acl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			iso := filepath.Join(t.TempDir(), "iso")
			oracle.Run(t, args[0], append(args[1:], "-o", iso, dir)...)
			im := openISO(t, iso)
			assert.Equal(t, iso9660.RockRidge, im.Volume().Names)
			assert.Equal(t, want, manifest(t, im))
		})
	}
}

func TestOpenRelocatedByGenisoimage(t *testing.T) {
	t.Parallel()

	dir := oddTree(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "longlink"))) // It writes wrong lengths there.
	require.NoError(t, os.Remove(filepath.Join(dir, strings.Repeat("m", 200))))
	settle(t, dir)
	want := source(t, dir)
	for i, line := range want { // It does not record which names are of one file.
		if name, first, ok := strings.Cut(line, " 1 644 "); ok {
			_, target, _ := strings.Cut(first, " = ")
			for _, other := range want {
				if rest, ok := strings.CutPrefix(other, target+" 0 "); ok {
					want[i] = name + " 0 " + rest
				}
			}
		}
	}
	for name, args := range map[string][]string{
		"default":   {"-R", "-J", "-joliet-long"},
		"no Joliet": {"-R"},
		"level 2":   {"-R", "-iso-level", "2", "-allow-lowercase"},
		"hidden":    {"-R", "-hide-rr-moved"},
		"in depth":  {"-R", "-D"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			iso := filepath.Join(t.TempDir(), "iso")
			oracle.Run(t, "genisoimage", append(args, "-input-charset", "utf-8", "-o", iso, dir)...)
			assert.Equal(t, want, manifest(t, openISO(t, iso)))
		})
	}
}

func TestOpenOtherNames(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	put(t, filepath.Join(dir, "Boot/x86_64/Loader/linux"), "kernel")
	put(t, filepath.Join(dir, "Boot/x86_64/Loader/initrd.img"), "initrd")
	put(t, filepath.Join(dir, "über.txt"), "text")
	settle(t, dir)
	iso := filepath.Join(t.TempDir(), "iso")
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-J", "-input-charset", "utf-8", "-o", iso, dir)
	plain := filepath.Join(t.TempDir(), "iso")
	oracle.Run(t, "genisoimage", "-input-charset", "utf-8", "-o", plain, dir)

	joliet := openISO(t, iso, iso9660.WithNames(iso9660.Joliet))
	assert.Equal(t, []string{
		".", "Boot", "Boot/x86_64", "Boot/x86_64/Loader", "Boot/x86_64/Loader/initrd.img", "Boot/x86_64/Loader/linux", "über.txt",
	}, names(t, joliet))

	primary := openISO(t, iso, iso9660.WithNames(iso9660.Plain))
	assert.Contains(t, names(t, primary), "BOOT/X86_64/LOADER/INITRD.IMG")

	alone := openISO(t, plain)
	assert.Equal(t, iso9660.Plain, alone.Volume().Names)
	assert.Contains(t, names(t, alone), "BOOT/X86_64/LOADER/LINUX")
	for _, im := range []*iso9660.Image{joliet, primary, alone} {
		f, err := im.Open("BOOT/x86_64/loader/linux")
		if im == joliet {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		info, err := f.Stat()
		require.NoError(t, err)
		assert.Equal(t, int64(6), info.Size())
	}
}

func TestOpenLargeFile(t *testing.T) {
	t.Parallel()

	oracle.All(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "large")
	put(t, name, "start")
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("end"), 5<<30)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	put(t, filepath.Join(dir, "next"), "next")

	iso := filepath.Join(t.TempDir(), "iso")
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-iso-level", "3", "-o", iso, dir)
	im := openISO(t, iso)
	extents, err := im.Extents("large")
	require.NoError(t, err)
	assert.Len(t, extents, 1)
	file, err := im.Open("large")
	require.NoError(t, err)
	b := make([]byte, 3)
	_, err = file.(interface {
		ReadAt([]byte, int64) (int, error)
	}).ReadAt(b, 5<<30)
	require.NoError(t, err)
	assert.Equal(t, "end", string(b))
	content, err := fs.ReadFile(im, "next")
	require.NoError(t, err)
	assert.Equal(t, "next", string(content))
}

func TestOpenForeignImages(t *testing.T) {
	t.Parallel()

	for _, name := range []string{
		"/usr/lib/grub-rescue/grub-rescue-cdrom.iso",
		"/usr/lib/memtest86+/memtest86+x64.iso",
		"/usr/lib/memtest86+/memtest86+ia32.iso",
		"/usr/lib/ipxe/ipxe.iso",
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()

			im := openISO(t, oracle.File(t, name))
			dir := filepath.Join(t.TempDir(), "files")
			oracle.Run(t, "xorriso", "-osirrox", "on", "-indev", name, "-extract", "/", dir)
			oracle.Run(t, "chmod", "-R", "u+rwX", dir)
			tree := openDir(t, dir)
			if im.Volume().Names == iso9660.RockRidge {
				assert.Equal(t, names(t, tree), names(t, im))
			}
			for _, n := range names(t, tree) {
				info, err := im.Stat(n)
				require.NoError(t, err)
				if info.Mode().IsRegular() {
					assert.Equal(t, digest(t, tree, n), digest(t, im, n), n)
				}
			}
			c, err := im.Catalog()
			require.NoError(t, err)
			require.NotEmpty(t, c.Entries)
			report := oracle.Run(t, "xorriso", "-indev", name, "-report_el_torito", "plain")
			for _, e := range c.Entries {
				assert.Regexp(t, fmt.Sprintf(`El Torito boot img : .* %d\n`, e.Block), report)
			}
		})
	}
}
