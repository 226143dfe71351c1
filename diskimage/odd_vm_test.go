package diskimage_test

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// vmOddTree returns a tree with one of everything that names, kinds and owners of
// files allow.
func vmOddTree(tb testing.TB) fs.FS {
	tb.Helper()
	return vmTar(tb, func(add func(h tar.Header, data string)) {
		file := func(name string, mode int64, data string) { add(tar.Header{Name: name, Mode: mode}, data) }
		folder := func(name string, mode int64) { add(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, "") }
		add(tar.Header{Typeflag: tar.TypeDir, Name: ".", Mode: 0o751, Uid: 7, Gid: 8}, "")
		file("empty", 0o600, "")
		file(".hidden", 0o644, "dot")
		file("ümläut ☃ 𝄞", 0o644, "not ASCII")
		file("back\\slash:*?\"<>|\n\x01\xFF", 0o644, "not for everybody")
		file(strings.Repeat("n", 255), 0o644, "long")
		file("one block", 0o644, strings.Repeat("x", 4096))
		file("one byte more", 0o644, strings.Repeat("x", 4097))
		file("setuid", 0o4755, "u")
		file("setgid", 0o2755, "g")
		folder("sticky", 0o1777)
		folder("no entries", 0o700)
		far := uint32(4000000000) // An int of 32 bits is negative then.
		add(tar.Header{Name: "owner", Mode: 0o640, Uid: int(far), Gid: 70000}, "far")
		add(tar.Header{Name: "old", Mode: 0o640, ModTime: time.Date(1905, 12, 31, 23, 59, 59, 0, time.UTC)}, "old")
		add(tar.Header{Name: "exact", Mode: 0o640, ModTime: time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)}, "to the nanosecond")
		add(tar.Header{Name: "far off", Mode: 0o640, ModTime: time.Date(2300, 1, 2, 3, 4, 5, 0, time.UTC)}, "young")
		for _, n := range []int{1, 59, 60, 61, 4095} { // Up to 59 bytes are in the inode.
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: fmt.Sprint("link ", n), Linkname: strings.Repeat("t", n), Mode: 0o777, Uid: 5}, "")
		}
		add(tar.Header{Typeflag: tar.TypeLink, Name: "second name", Linkname: "setuid"}, "")
		add(tar.Header{Typeflag: tar.TypeChar, Name: "char", Devmajor: 5, Devminor: 1, Mode: 0o620, Gid: 5}, "")
		add(tar.Header{Typeflag: tar.TypeBlock, Name: "device", Devmajor: 259, Devminor: 70000, Mode: 0o660}, "")
		add(tar.Header{Typeflag: tar.TypeFifo, Name: "fifo", Mode: 0o600}, "")
		attrs := map[string]string{
			// cap_net_raw, in version 2 of the format (linux/capability.h).
			"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
			"SCHILY.xattr.user.text":           "a\nvalue",
		}
		add(tar.Header{Name: "capable", Mode: 0o755, PAXRecords: attrs}, "c")
		add(tar.Header{Name: "much to say", Mode: 0o644, PAXRecords: map[string]string{
			"SCHILY.xattr.user.long": strings.Repeat("v", 3000), "SCHILY.xattr.trusted.empty": "\x00",
		}}, "more than an inode holds")
		deep := "deep"
		for range 20 {
			folder(deep, 0o755)
			deep += "/deeper"
		}
		file(strings.TrimSuffix(deep, "/deeper")+"/bottom", 0o644, "deep")
		folder("many", 0o755)
		for i := range 5000 {
			file(fmt.Sprintf("many/%s %d", strings.Repeat("entry ", 5), i), 0o644, fmt.Sprint(i))
		}
		var b strings.Builder
		for i := range 700000 {
			fmt.Fprintf(&b, "%07d\n", i)
		}
		file("large", 0o644, b.String()+strings.Repeat("\x00", 3<<20)+"end")
	})
}

// TestOddTreesMount has a kernel list trees of every kind in file systems of
// every kind.
func TestOddTreesMount(t *testing.T) {
	t.Parallel()
	odd, plain := vmOddTree(t), vmFATTree(t)
	const mib = 1 << 20
	l := &diskimage.Layout{Partitions: []diskimage.Partition{
		{Label: "ext4", Content: diskimage.Ext4("four", odd, diskimage.WithTime(vmTime()))},
		{Label: "ext4 bare", Content: diskimage.Ext4("bare", odd, diskimage.WithTime(vmTime()), diskimage.WithoutJournal())},
		{Label: "ext4 roomy", Content: diskimage.Ext4("roomy", odd, diskimage.WithTime(vmTime())), Size: 9 << 30},
		{Label: "ext2", Content: diskimage.Ext2("two", odd, diskimage.WithTime(vmTime()))},
		{Label: "fat12", Content: diskimage.FAT("TWELVE", plain, diskimage.WithTime(vmTime())), Size: 7 * mib},
		{Label: "fat16", Content: diskimage.FAT("SIXTEEN", plain, diskimage.WithTime(vmTime())), Size: 64 * mib},
		{Label: "fat32", Content: diskimage.FAT("THIRTYTWO", plain, diskimage.WithTime(vmTime())), Size: 600 * mib},
	}}
	table := &diskimage.Layout{MBR: true, Partitions: []diskimage.Partition{
		{Type: diskimage.TypeEFI(), Content: diskimage.FAT("TABLE", plain)},
		{Content: diskimage.Ext4("table", odd, diskimage.WithTime(vmTime()))},
	}}
	disk := vmBuild(t, l)
	laid := vmDisk(t, l).Layout()
	kinds := map[string]string{"ext4": "ext4", "ext2": "ext2", "fat1": "vfat", "fat3": "vfat"}
	mounts := make([]vmtest.Mount, len(laid.Partitions))
	for i, p := range laid.Partitions {
		mounts[i] = vmtest.Mount{Image: disk, Type: kinds[p.Label[:4]], Offset: p.Start}
		if mounts[i].Type == "vfat" {
			mounts[i].Options = "utf8,tz=UTC"
		}
	}
	second := vmDisk(t, table).Layout().Partitions[1].Start
	mounts = append(mounts, vmtest.Mount{Image: vmBuild(t, table), Type: "ext4", Offset: second})
	laid.Partitions = append(laid.Partitions, diskimage.Partition{Label: "DOS table"})
	results := vmtest.ManifestsT(t, mounts...)
	for i, p := range laid.Partitions {
		r := results[i]
		assert.Empty(t, r.Log, p.Label)
		if mounts[i].Type == "vfat" {
			assert.Empty(t, manifest.Diff(vmFAT(vmList(t, plain)), vmFAT(r.Manifest)), p.Label)
			continue
		}
		delete(r.Manifest, "lost+found")
		assert.Empty(t, manifest.Diff(vmList(t, odd), r.Manifest), p.Label)
	}
}

// vmFATTree returns a tree of files and folders with names of every kind.
func vmFATTree(tb testing.TB) fs.FS {
	tb.Helper()
	return vmTar(tb, func(add func(h tar.Header, data string)) {
		file := func(name, data string) { add(tar.Header{Name: name, Mode: 0o755}, data) }
		file("EFI/BOOT/BOOTX64.EFI", strings.Repeat("program ", 9999))
		file("EFI/BOOT/a long name with blanks and dots...and.more", "long")
		file("EFI/BOOT/a long name with blanks and dots...and.less", "the same start")
		file("ümläut ☃ 𝄞.txt", "not ASCII")
		file(strings.Repeat("n", 255), "longest")
		file(".hidden", "dot")
		file("empty", "")
		file("lower.txt", "lower")
		file("Mixed.Txt", "mixed")
		file("exact", strings.Repeat("x", 65536))
		for i := range 600 {
			file(fmt.Sprintf("many/file number %d.conf", i), strings.Repeat("y", i))
		}
	})
}

// vmFAT leaves out what FAT does not have.
func vmFAT(m manifest.Manifest) manifest.Manifest {
	return m.Edit(func(_ string, e *manifest.Entry) {
		*e = manifest.Entry{Mode: e.Mode & fs.ModeType, Size: e.Size, Sum: e.Sum, ModTime: e.ModTime, Err: e.Err}
		if e.Mode.IsDir() {
			e.ModTime = time.Time{}
		}
		e.ModTime = e.ModTime.Truncate(2 * time.Second)
	})
}
