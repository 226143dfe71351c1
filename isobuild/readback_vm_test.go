package isobuild_test

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// oddTree returns a tree, below the folder odd, with one of everything that
// names, kinds and owners of files allow, names of at most longest bytes, and a
// folder of many files.
func oddTree(tb testing.TB, longest, many int) fs.FS {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, data string) {
		h.Name = "odd/" + h.Name
		h.Size = int64(len(data))
		if h.ModTime.IsZero() {
			h.ModTime = vmTime()
		}
		h.Format = tar.FormatPAX
		require.NoError(tb, w.WriteHeader(&h))
		_, err := w.Write([]byte(data))
		require.NoError(tb, err)
	}
	file := func(name string, mode int64, data string) { add(tar.Header{Name: name, Mode: mode}, data) }
	folder := func(name string, mode int64) { add(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, "") }

	folder("", 0o755)
	file("empty", 0o600, "")
	file(".hidden", 0o644, "dot")
	file("UPPER.and.lower;1", 0o644, "case")
	file("upper.AND.lower;1", 0o644, "CASE")
	file("ümläut ☃ 𝄞", 0o644, "not ASCII")
	file("back\\slash:*?\"<>|", 0o644, "not for everybody")
	file(strings.Repeat("n", longest), 0o644, "long")
	file(strings.Repeat("n", longest-1)+"m", 0o644, "as long")
	file("block", 0o644, strings.Repeat("2048 bytes are a block of a CD. ", 64))
	file("blocks", 0o644, strings.Repeat("x", 5*2048+1))
	file("zeros", 0o644, strings.Repeat("\x00", 1<<20))
	file("setuid", 0o4755, "u")
	file("setgid", 0o2755, "g")
	folder("sticky", 0o1777)
	folder("no entries", 0o700)
	far := uint32(4000000000) // An int of 32 bits is negative then.
	add(tar.Header{Name: "owner", Mode: 0o640, Uid: int(far), Gid: 70000}, "far")
	add(tar.Header{Name: "old", Mode: 0o640, ModTime: time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)}, "old")
	add(tar.Header{Name: "young", Mode: 0o640, ModTime: time.Date(2037, 12, 31, 23, 59, 59, 0, time.UTC)}, "young")
	add(tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "../../etc/os-release", Mode: 0o777}, "")
	add(tar.Header{Typeflag: tar.TypeSymlink, Name: "absolute", Linkname: "/nowhere/at/./all/", Mode: 0o777}, "")
	add(tar.Header{Typeflag: tar.TypeSymlink, Name: "far", Linkname: strings.Repeat("../sixteen-letters/", 52) + "end", Mode: 0o777}, "")
	add(tar.Header{Typeflag: tar.TypeLink, Name: "second name", Linkname: "odd/blocks"}, "")
	add(tar.Header{Typeflag: tar.TypeChar, Name: "char", Devmajor: 5, Devminor: 1, Mode: 0o620, Gid: 5}, "")
	add(tar.Header{Typeflag: tar.TypeBlock, Name: "device", Devmajor: 8, Devminor: 200, Mode: 0o660}, "")
	add(tar.Header{Typeflag: tar.TypeFifo, Name: "fifo", Mode: 0o600}, "")
	add(tar.Header{Name: "capable", Mode: 0o755, PAXRecords: map[string]string{
		// cap_net_raw, in version 2 of the format (linux/capability.h).
		"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"SCHILY.xattr.user.text":           "a\nvalue",
	}}, "c")
	deep := "deep"
	for range 20 {
		folder(deep, 0o755)
		deep += "/deeper"
	}
	file(strings.TrimSuffix(deep, "/deeper")+"/bottom", 0o644, "deep")
	folder("many", 0o755)
	for i := range many {
		file("many/"+strings.Repeat("entry ", 5)+string(rune('a'+i%26))+string(rune('0'+i/26%10))+string(rune('A'+i/260)), 0o644, string(rune('a'+i%26)))
	}
	require.NoError(tb, w.Close())
	r := bytes.NewReader(b.Bytes())
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(tb, err)
	return tree
}

// TestBuildReadBack has three readers each list all that is in an image, and in
// the squashfs in it: our own, xorriso or unsquashfs, and the kernel of a
// virtual machine. What they see is compared with what went in.
func TestBuildReadBack(t *testing.T) {
	t.Parallel()
	oracle.Root(t)
	// A kernel reads names of up to 253 bytes from Rock Ridge, and of 255 from
	// squashfs. There, folders of more than 64 KiB have inodes of another kind; in
	// ISO 9660, a kernel goes through a folder from its start for each name.
	root, rootFiles, files := vmRoot(t), oddTree(t, 255, 3000), oddTree(t, 253, 1000)
	image := built(t, root, vmOptions(isobuild.WithFiles(files), isobuild.WithRootFiles(rootFiles))...)
	iso, err := isobuild.Open(section(t, image))
	require.NoError(t, err)

	whole := vmtest.Mount{Image: image, Type: "iso9660"}
	results := vmtest.ManifestsT(t, whole,
		vmtest.Mount{Image: image, Type: "iso9660", Offset: 16 * 2048},
		vmtest.Mount{Image: "rootfs.squashfs", Type: "squashfs", In: &whole})

	t.Run("image", func(t *testing.T) {
		t.Parallel()
		want := list(t, iso)
		for path, e := range list(t, files) {
			if path != "." {
				assert.Equal(t, rockRidge(path, e).String(), rockRidge(path, want[path]).String(), path)
			}
		}
		want = edit(want, rockRidge)
		assert.Empty(t, manifest.Diff(want, edit(results[0].Manifest, rockRidge)), "Linux")
		unpacked := extracted(t, "xorriso", func(dir string) []string {
			return []string{"-osirrox", "on:device_files", "-indev", image, "-extract", "/", dir}
		})
		withoutLinkTimes := func(path string, e manifest.Entry) manifest.Entry {
			if e.Mode&fs.ModeSymlink != 0 { // xorriso does not set those.
				e.ModTime = time.Time{}
			}
			return rockRidge(path, e)
		}
		assert.Empty(t, manifest.Diff(edit(want, withoutLinkTimes), edit(unpacked, withoutLinkTimes)), "xorriso")
		delete(want, "boot/uefi.img")
		assert.Empty(t, manifest.Diff(want, edit(results[1].Manifest, rockRidge)), "the first partition")
		for _, r := range results {
			assert.Empty(t, r.Log)
		}
	})
	t.Run("squashfs", func(t *testing.T) {
		t.Parallel()
		want := list(t, root)
		top := want["."]
		maps.Copy(want, list(t, rootFiles))
		want["."] = top
		// Build adds the folders that Kairos wants; this root lacks one.
		want["oem"] = manifest.Entry{Mode: fs.ModeDir | 0o755, ModTime: vmTime()}
		assert.Empty(t, manifest.Diff(want, results[2].Manifest), "Linux")

		packed, err := iso.Open("rootfs.squashfs")
		require.NoError(t, err)
		defer packed.Close()
		file := packed.(isobuild.File)
		own, err := squashfs.Open(file, file.Size())
		require.NoError(t, err)
		assert.Empty(t, manifest.Diff(want, list(t, own)), "package squashfs")

		name := filepath.Join(t.TempDir(), "rootfs.squashfs")
		data, err := fs.ReadFile(iso, "rootfs.squashfs")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, data, 0o600))
		unpacked := extracted(t, "unsquashfs", func(dir string) []string {
			return []string{"-quiet", "-no-progress", "-dest", dir, name}
		})
		assert.Empty(t, manifest.Diff(want, unpacked), "unsquashfs")
	})
}

// list lists a tree.
func list(tb testing.TB, tree fs.FS) manifest.Manifest {
	tb.Helper()
	m, err := manifest.FS(tree)
	require.NoError(tb, err)
	return m
}

// rockRidge is what an image has of a file: no extended attributes, and
// nothing tells of names that belong together.
func rockRidge(_ string, e manifest.Entry) manifest.Entry {
	e.Links, e.Same, e.Xattrs = 0, "", nil
	return e
}

// edit changes all entries.
func edit(m manifest.Manifest, f func(string, manifest.Entry) manifest.Entry) manifest.Manifest {
	return m.Edit(func(path string, e *manifest.Entry) { *e = f(path, *e) })
}

// extracted runs a program that unpacks an image into a folder, and lists that.
func extracted(tb testing.TB, name string, args func(dir string) []string) manifest.Manifest {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "extracted")
	oracle.Run(tb, name, args(dir)...)
	m, err := manifest.Dir(dir)
	require.NoError(tb, err)
	return m
}
