package isobuild_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/isobuild"
)

// remasterBytes remasters an image in memory.
func remasterBytes(t *testing.T, iso isobuild.File, opts ...isobuild.Option) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := isobuild.Remaster(t.Context(), &b, iso, opts...)
	require.NoError(t, err)
	require.Equal(t, int64(b.Len()), n)
	return b.Bytes()
}

// treeOf returns the files of an image in memory.
func treeOf(t *testing.T, b []byte, opts ...iso9660.Option) *iso9660.Image {
	t.Helper()
	im, err := iso9660.Open(bytes.NewReader(b), int64(len(b)), opts...)
	require.NoError(t, err)
	return im
}

func TestRemasterBuilt(t *testing.T) {
	t.Parallel()

	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithCloudConfig([]byte("SECRET"))))
	require.NoError(t, err)
	esp := read(t, treeOf(t, old), "boot/uefi.img")
	b := old
	for i := range 3 {
		config := fmt.Sprintf("config %d", i)
		b = remasterBytes(t, bytes.NewReader(b), isobuild.WithCloudConfig([]byte(config)), isobuild.WithFiles(fstest.MapFS{
			"more/big": labFile(bytes.Repeat([]byte("x"), 300000)),
		}))
		im := treeOf(t, b)
		assert.Equal(t, config, read(t, im, "config.yaml"))
		assert.Equal(t, "COS_LIVE", im.Volume().ID)
		assert.False(t, bytes.Contains(b, []byte("SECRET")))
		require.True(t, esp == read(t, im, "boot/uefi.img"))

		table, err := gpt.Read(bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		require.Len(t, table.Partitions, 2)
		part, efi := table.Partitions[0], table.Partitions[1]
		require.True(t, esp == string(b[efi.Start:efi.Start+efi.Size]))
		assert.Equal(t, part.Start+part.Size, efi.Start)
		backup := bytes.Clone(b)
		clear(backup[512:1024])
		again, err := gpt.Read(bytes.NewReader(backup), int64(len(b)))
		require.NoError(t, err)
		assert.Equal(t, table.Partitions, again.Partitions, "the backup at the end says something else")

		own := treeOf(t, b[part.Start:part.Start+part.Size])
		assert.Equal(t, config, read(t, own, "config.yaml"))
		assert.Equal(t, string(fakeKernel()), read(t, own, "boot/kernel"))
		_, err = own.Stat("boot/uefi.img")
		require.ErrorIs(t, err, fs.ErrNotExist)

		c, err := im.Catalog()
		require.NoError(t, err)
		assert.Equal(t, efi.Start, int64(c.Entries[0].Block)*iso9660.BlockSize)
	}
	assert.Less(t, len(b), len(old)+400000, "room of what was replaced at the end is used again")
}

// TestRemasterWithLargeFile puts a file where the partition was that moves.
func TestRemasterWithLargeFile(t *testing.T) {
	t.Parallel()

	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI)))
	require.NoError(t, err)
	esp := read(t, treeOf(t, old), "boot/uefi.img")
	files := fstest.MapFS{}
	for i := range 20 {
		files[fmt.Sprintf("large/%d", i)] = labFile(bytes.Repeat([]byte{'a' + byte(i)}, 500000))
	}
	im := treeOf(t, remasterBytes(t, bytes.NewReader(old), isobuild.WithFiles(files)))
	for name, f := range files {
		require.True(t, string(f.Data) == read(t, im, name), name)
	}
	require.True(t, esp == read(t, im, "boot/uefi.img"))
}

func TestRemasterKeepsWhatIsShared(t *testing.T) {
	t.Parallel()

	content := strings.Repeat("shared by two names\n", 500)
	old := plainISO(t, map[string]string{"a": content, "b": content, "dir/c": "gone", "dir/d": "stays"})
	b := remasterBytes(t, old, isobuild.WithRemove("a", "dir/c"))
	im := treeOf(t, b)
	assert.Equal(t, content, read(t, im, "b"))
	assert.Equal(t, "stays", read(t, im, "dir/d"))
	_, err := im.Lstat("a")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, map[string]string{"b": content, "dir/d": "stays"}, regular(t, treeOf(t, b, iso9660.WithNames(iso9660.Joliet))))
}

// TestRemasterHardLinks has files with two names in the image and in what is
// added, and takes one of them away, or puts something else there.
func TestRemasterHardLinks(t *testing.T) {
	t.Parallel()

	links := func(folder, content string) fstest.MapFS {
		link := &tar.Header{Typeflag: tar.TypeLink, Name: folder + "/two", Linkname: folder + "/one", Size: int64(len(content))}
		return fstest.MapFS{folder + "/one": labFile([]byte(content)), folder + "/two": {Sys: link}}
	}
	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(links("kept", "KEPT")),
		isobuild.WithFiles(links("cut", "CUT")), isobuild.WithFiles(links("new", "OLD")), isobuild.WithFiles(links("gone", "GONE"))))
	require.NoError(t, err)
	b := remasterBytes(t, bytes.NewReader(old), isobuild.WithRemove("cut/one", "gone"),
		isobuild.WithFiles(fstest.MapFS{"new/one": labFile([]byte("NEW"))}), isobuild.WithFiles(links("added", "ADDED")))
	im := treeOf(t, b)
	for name, want := range map[string]string{
		"kept/one": "KEPT", "kept/two": "KEPT", "cut/two": "CUT", "new/one": "NEW", "new/two": "OLD", "added/one": "ADDED", "added/two": "ADDED",
	} {
		assert.Equal(t, want, read(t, im, name), name)
	}
	for name, want := range map[string]byte{"kept/two": tar.TypeLink, "added/two": tar.TypeLink, "cut/two": tar.TypeReg, "new/two": tar.TypeReg} {
		info, err := im.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, want, info.Sys().(*tar.Header).Typeflag, name)
	}
	assert.Contains(t, string(old), "GONE")
	assert.NotContains(t, string(b), "GONE")
}

// TestRemasterKeepsMetadata compares all that an image says of its files, odd
// ones among them, before and after something was added.
func TestRemasterKeepsMetadata(t *testing.T) {
	t.Parallel()

	header := func(h tar.Header) *fstest.MapFile { return &fstest.MapFile{Mode: h.FileInfo().Mode(), Sys: &h} }
	files := fstest.MapFS{
		"dir":                                {Mode: fs.ModeDir | 0o750, Sys: &tar.Header{Typeflag: tar.TypeDir, Mode: 0o1750, Uid: 3, Gid: 4, ModTime: time.Unix(1e9+1, 0)}},
		"dir/owned":                          header(tar.Header{Typeflag: tar.TypeReg, Mode: 0o4751, Uid: 70000, Gid: 8, ModTime: time.Unix(1e9+2, 0)}),
		"dir/char":                           header(tar.Header{Typeflag: tar.TypeChar, Mode: 0o620, Devmajor: 4, Devminor: 300, ModTime: time.Unix(1e9+3, 0)}),
		"dir/block":                          header(tar.Header{Typeflag: tar.TypeBlock, Mode: 0o660, Devmajor: 8, Devminor: 1, ModTime: time.Unix(1e9+4, 0)}),
		"dir/fifo":                           header(tar.Header{Typeflag: tar.TypeFifo, Mode: 0o600, ModTime: time.Unix(1e9+5, 0)}),
		"dir/link":                           {Data: []byte("../no/such/" + strings.Repeat("x", 300)), Mode: fs.ModeSymlink | 0o777, ModTime: time.Unix(1e9+6, 0)},
		strings.Repeat("ü", 126) + "n":       labFile([]byte("253 bytes")),
		strings.Repeat("deep/", 20) + "file": labFile([]byte("deep")),
	}
	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(files)))
	require.NoError(t, err)
	describe := func(b []byte) map[string]string {
		all, im := make(map[string]string), treeOf(t, b)
		require.NoError(t, fs.WalkDir(im, ".", func(name string, d fs.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := d.Info()
			require.NoError(t, err)
			h := info.Sys().(*tar.Header)
			all[name] = fmt.Sprint(info.Mode(), h.Typeflag, h.Uid, h.Gid, h.ModTime.UTC(), h.Linkname, h.Devmajor, h.Devminor, h.Size)
			return nil
		}))
		return all
	}
	want := describe(old)
	assert.Contains(t, want["dir/owned"], "urwxr-x--x 48 70000 8")
	got := describe(remasterBytes(t, bytes.NewReader(old), isobuild.WithFiles(fstest.MapFS{"new": labFile([]byte("new"))})))
	assert.Contains(t, got, "new")
	delete(got, "new")
	assert.Equal(t, want, got)
}

// TestRemasterChecksum takes away what a program noted of the bytes of an image,
// and leaves the names that people gave it.
func TestRemasterChecksum(t *testing.T) {
	t.Parallel()

	m := plainISO(t, map[string]string{"file": "old"})
	b, err := io.ReadAll(io.NewSectionReader(m, 0, m.Size()))
	require.NoError(t, err)
	const note = "ISO MD5SUM = 0123456789abcdef0123456789abcdef;SKIPSECTORS = 15"
	copy(b[16*2048+883:], note) // For applications (ECMA-119 §8.4.32), as implantisomd5 has it.
	copy(b[16*2048+318:], "PUBLISHER")
	im := remasterBytes(t, bytes.NewReader(b), isobuild.WithCloudConfig([]byte("x")))
	assert.NotContains(t, string(im), "MD5SUM")
	assert.Equal(t, "PUBLISHER", treeOf(t, im).Volume().Publisher)
}

// TestRemasterRemovesLinks removes symbolic links, and not where they lead.
func TestRemasterRemovesLinks(t *testing.T) {
	t.Parallel()

	link := func(target string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
	}
	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(fstest.MapFS{
		"dir/file": labFile([]byte("file")), "file": link("dir/file"), "folder": link("dir"), "nowhere": link("no/such"), "dir/other": labFile([]byte("other")),
	})))
	require.NoError(t, err)
	// The last one is found by way of a link to its folder.
	im := treeOf(t, remasterBytes(t, bytes.NewReader(old), isobuild.WithRemove("file", "folder", "nowhere", "folder/other")))
	assert.Equal(t, "file", read(t, im, "dir/file"))
	for _, name := range []string{"file", "folder", "nowhere", "dir/other"} {
		_, err := im.Lstat(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}

// TestRemasterRenamesMenus gives all menus, by all their names, the new volume
// identifier.
func TestRemasterRenamesMenus(t *testing.T) {
	t.Parallel()

	link := &tar.Header{Typeflag: tar.TypeLink, Name: "b.cfg", Linkname: "a.cfg"}
	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(fstest.MapFS{
		"a.cfg": labFile([]byte("CDLABEL=COS_LIVE\n")), "b.cfg": {Sys: link}, "c.cfg": {Data: []byte("a.cfg"), Mode: fs.ModeSymlink},
		"loader/entries/live.conf": labFile([]byte("CDLABEL=COS_LIVE\n")), "BOOT/MENU.LST": labFile([]byte("CDLABEL=COS_LIVE\n")),
	})))
	require.NoError(t, err)
	im := treeOf(t, remasterBytes(t, bytes.NewReader(old), isobuild.WithVolumeID("OTHER")))
	for _, name := range []string{"a.cfg", "b.cfg", "c.cfg", "loader/entries/live.conf", "BOOT/MENU.LST"} {
		assert.Equal(t, "CDLABEL=OTHER\n", read(t, im, name), name)
	}
}

func TestRemasterOrder(t *testing.T) {
	t.Parallel()

	old := plainISO(t, map[string]string{"config.yaml": "old", "dir/a": "old", "dir/b": "old", "file": "old"})
	b := remasterBytes(t, old, isobuild.WithRemove("dir", "/config.yaml"),
		isobuild.WithCloudConfig([]byte("option")),
		isobuild.WithFiles(fstest.MapFS{"dir/a": labFile([]byte("first")), "file/in/folder": labFile([]byte("first"))}),
		isobuild.WithFiles(fstest.MapFS{"config.yaml": labFile([]byte("last"))}))
	assert.Equal(t, map[string]string{"config.yaml": "last", "dir/a": "first", "file/in/folder": "first"}, regular(t, treeOf(t, b)))
}

func TestRemasterTimeAndVolume(t *testing.T) {
	t.Parallel()

	old := plainISO(t, map[string]string{"file": "old"})
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	b := remasterBytes(t, old)
	assert.Equal(t, time.Unix(1e9, 0).UTC(), treeOf(t, b).Volume().Modified)
	assert.Equal(t, "PLAIN", treeOf(t, b).Volume().ID)

	b = remasterBytes(t, old, isobuild.WithTime(at), isobuild.WithVolumeID("OTHER"), isobuild.WithCloudConfig([]byte("x")))
	// No menu has it, so that any will do.
	assert.Equal(t, "A B", treeOf(t, remasterBytes(t, old, isobuild.WithVolumeID("A B"))).Volume().ID)
	v := treeOf(t, b).Volume()
	assert.Equal(t, time.Unix(1e9, 0).UTC(), v.Modified, "menus may have it")
	assert.Equal(t, time.Unix(1e9, 0).UTC(), v.Created)
	assert.Equal(t, "OTHER", v.ID)
	info, err := treeOf(t, b).Stat("config.yaml")
	require.NoError(t, err)
	assert.Equal(t, at, info.ModTime())
	info, err = treeOf(t, b).Stat("file")
	require.NoError(t, err)
	assert.Equal(t, time.Unix(1e9, 0).UTC(), info.ModTime())
}

// TestRemasterBytes pins the format: a change of these bytes must be meant.
func TestRemasterBytes(t *testing.T) {
	t.Parallel()

	old := plainISO(t, map[string]string{"file": "old", "other": strings.Repeat("other", 1000)})
	b := remasterBytes(t, old, isobuild.WithRemove("file"), isobuild.WithCloudConfig([]byte("#cloud-config\n")))
	assert.Equal(t, "9adeb8e97ff9bee958d756d0aa6acbf7b585a8fc65456116fc4b01802902bd9d", fmt.Sprintf("%x", sha256.Sum256(b)))
}

func TestRemasterProgress(t *testing.T) {
	t.Parallel()

	var calls [][2]int64
	report := func(name string, done, total int64) {
		assert.Equal(t, "iso", name)
		calls = append(calls, [2]int64{done, total})
	}
	b := remasterBytes(t, plainISO(t, map[string]string{"file": "old"}), isobuild.WithProgress(report))
	size := int64(len(b))
	assert.Equal(t, [2]int64{0, size}, calls[0])
	assert.Equal(t, [2]int64{size, size}, calls[len(calls)-1])
}

func TestRemasterRefuses(t *testing.T) {
	t.Parallel()

	bios := iso9660.BootEntry{Bootable: true, Sectors: 4, Block: 64}
	plain := func(t *testing.T) []byte {
		t.Helper()
		b, err := io.ReadAll(io.NewSectionReader(plainISO(t, map[string]string{"boot.img": "boot", "other": "other"}, bios), 0, 1<<30))
		require.NoError(t, err)
		return b
	}
	live := func(t *testing.T) []byte {
		t.Helper()
		b, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI)))
		require.NoError(t, err)
		return b
	}
	for name, tt := range map[string]struct {
		image   func(t *testing.T) []byte
		change  func(b []byte) []byte
		options []isobuild.Option
		is      error
		want    string
	}{
		"missing file": {
			options: []isobuild.Option{isobuild.WithRemove("other", "no/such", "none")},
			is:      fs.ErrNotExist, want: "isobuild: remaster: no/such: remove: file does not exist\nnone: remove: file does not exist",
		},
		"root": {
			options: []isobuild.Option{isobuild.WithRemove("/")},
			want:    "isobuild: remaster: /: remove: the root cannot be removed",
		},
		"boot image replaced": {
			options: []isobuild.Option{isobuild.WithFiles(fstest.MapFS{"boot.img": labFile([]byte("new"))})},
			is:      errors.ErrUnsupported, want: "isobuild: remaster: boot.img: is a boot image, which cannot be replaced or removed",
		},
		"boot image removed": {
			options: []isobuild.Option{isobuild.WithRemove("boot.img")},
			is:      errors.ErrUnsupported, want: "isobuild: remaster: boot.img: is a boot image",
		},
		"EFI system partition removed": {
			image: live, options: []isobuild.Option{isobuild.WithRemove("boot")},
			is: errors.ErrUnsupported, want: "isobuild: remaster: boot/uefi.img: is a boot image",
		},
		"EFI system partition of the MBR alone removed": {
			change: func(b []byte) []byte {
				slot := b[446:462]
				slot[4] = 0xEF
				binary.LittleEndian.PutUint32(slot[8:], 65*4) // "other"
				binary.LittleEndian.PutUint32(slot[12:], 4)
				b[510], b[511] = 0x55, 0xAA
				return b
			},
			options: []isobuild.Option{isobuild.WithRemove("other")},
			is:      errors.ErrUnsupported, want: "isobuild: remaster: other: is a boot image",
		},
		"volume identifier in the EFI system partition": {
			image: live,
			change: func(b []byte) []byte {
				// GRUB's first menu is there, behind the copies that the tree shows.
				copy(b[bytes.LastIndex(b, []byte("search --no-floppy")):], "search -l COS_LIVE\n#")
				return b
			},
			options: []isobuild.Option{isobuild.WithVolumeID("OTHER")},
			is:      errors.ErrUnsupported,
			want:    `isobuild: remaster: volume identifier: a menu in the EFI system partition has the old one, "COS_LIVE", and stays as it is`,
		},
		"volume identifier with a blank": {
			image: live, options: []isobuild.Option{isobuild.WithVolumeID("A B")},
			want: `isobuild: remaster: boot/grub2/grub.cfg: volume identifier "A B": a live system cannot look for ' '`,
		},
		"volume identifier with a semicolon": {
			image: live, options: []isobuild.Option{isobuild.WithVolumeID("A;B")},
			want: `isobuild: remaster: boot/grub2/grub.cfg: volume identifier "A;B": a live system cannot look for ';'`,
		},
		"volume identifier with a quote": {
			image: live, options: []isobuild.Option{isobuild.WithVolumeID("A'B")},
			want: `isobuild: remaster: boot/grub2/grub.cfg: volume identifier "A'B": a live system cannot look for '\''`,
		},
		"volume identifier with a dollar": {
			image: live, options: []isobuild.Option{isobuild.WithVolumeID("A$B")},
			want: `isobuild: remaster: boot/grub2/grub.cfg: volume identifier "A$B": a live system cannot look for '$'`,
		},
		"many menus": {
			image: func(t *testing.T) []byte {
				t.Helper()
				menus := make(map[string]string)
				for i := range 17 {
					menus[fmt.Sprintf("%d.cfg", i)] = "LABEL=PLAIN\n" + strings.Repeat("x", 1<<20-12)
				}
				m := plainISO(t, menus)
				b, err := io.ReadAll(io.NewSectionReader(m, 0, m.Size()))
				require.NoError(t, err)
				return b
			},
			options: []isobuild.Option{isobuild.WithVolumeID("OTHER")},
			want:    "menus with the volume identifier have more than 16777216 bytes",
		},
		"option of other functions": {
			options: []isobuild.Option{isobuild.WithCmdline("quiet")},
			want:    "isobuild: remaster: WithCmdline means nothing here",
		},
		"UDF": {
			change: func(b []byte) []byte {
				// The descriptors are followed by those of UDF.
				copy(b[20*2048:], "\x00BEA01\x01")
				copy(b[21*2048:], "\x00NSR02\x01")
				return b
			},
			is: errors.ErrUnsupported, want: "image has a UDF volume beside ISO 9660",
		},
		"cut off": {
			image:  live,
			change: func(b []byte) []byte { return b[:len(b)-4<<20] },
			is:     io.ErrUnexpectedEOF, want: "",
		},
		"loose data": {
			change: func(b []byte) []byte { return append(b, make([]byte, 2<<20)...) },
			is:     errors.ErrUnsupported, want: "2097152 bytes behind the volume and its partitions belong to nothing that is known",
		},
		"damaged header": {
			image:  live,
			change: func(b []byte) []byte { b[512+40]++; return b },
			want:   "GPT header in sector 1 is damaged",
		},
		"damaged entries": {
			image:  live,
			change: func(b []byte) []byte { b[1024+40]++; return b },
			want:   "GPT entries are damaged",
		},
		"entries elsewhere": {
			image: live,
			change: func(b []byte) []byte {
				binary.LittleEndian.PutUint64(b[512+72:], 1<<40)
				clear(b[512+16 : 512+20])
				binary.LittleEndian.PutUint32(b[512+16:], crc32.ChecksumIEEE(b[512:512+92]))
				return b
			},
			want: "want at most 252 of 128 in the first 64 sectors",
		},
		"no image": {
			change: func([]byte) []byte { return make([]byte, 1<<20) },
			want:   "isobuild: remaster: iso9660: no ISO 9660 image",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if tt.image == nil {
				tt.image = plain
			}
			b := tt.image(t)
			if tt.change != nil {
				b = tt.change(b)
			}
			var out bytes.Buffer
			_, err := isobuild.Remaster(t.Context(), &out, bytes.NewReader(b), tt.options...)
			require.Error(t, err)
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			var typed *isobuild.Error
			require.ErrorAs(t, err, &typed)
			assert.Equal(t, "remaster", typed.Op)
			assert.Zero(t, out.Len(), "nothing is written before all is known to be well")
		})
	}
}

func TestRemasterStops(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("reason")
	cancel(reason)
	_, err := isobuild.Remaster(ctx, io.Discard, plainISO(t, map[string]string{"file": "old"}))
	require.ErrorIs(t, err, reason)

	_, err = isobuild.Remaster(t.Context(), fullDisk{reason}, plainISO(t, map[string]string{"file": "old"}))
	require.ErrorIs(t, err, reason)
	_, err = isobuild.Remaster(t.Context(), io.Discard, nil)
	require.EqualError(t, err, "isobuild: remaster: the image is nil")
}

// fullDisk takes no more bytes.
type fullDisk struct{ err error }

func (w fullDisk) Write([]byte) (int, error) { return 0, w.err }

// TestRemasterReadsOnce counts what is read: all that stays once, and what
// leads to it a few times.
func TestRemasterReadsOnce(t *testing.T) {
	t.Parallel()

	old, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(fstest.MapFS{
		"large": labFile(bytes.Repeat([]byte("large"), 1<<20)), "gone": labFile(make([]byte, 1<<20)),
	})))
	require.NoError(t, err)
	var metadata int64
	for _, names := range []iso9660.Names{iso9660.RockRidge, iso9660.Joliet} {
		for _, e := range treeOf(t, old, iso9660.WithNames(names)).Metadata() {
			metadata += e.Size
		}
	}
	count := &readCounter{Reader: bytes.NewReader(old)}
	remasterBytes(t, count, isobuild.WithCloudConfig([]byte("config")), isobuild.WithRemove("gone"))
	t.Logf("%d bytes read, of an image of %d with %d of metadata", count.n.Load(), len(old), metadata)
	assert.Less(t, count.n.Load(), int64(len(old))-1<<20+8*metadata)
}

// readCounter counts the bytes that are read of it.
type readCounter struct {
	*bytes.Reader

	n atomic.Int64
}

// ReadAt implements [io.ReaderAt].
func (r *readCounter) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.Reader.ReadAt(p, off)
	r.n.Add(int64(n))
	return n, err
}

// TestRemasterOver4GiB remasters an image with a file of 5 GiB, of which only
// the ends are not zeros.
func TestRemasterOver4GiB(t *testing.T) {
	t.Parallel()

	const size = 5<<30 + 12345
	m, v := mosaic.New(), &isomaster.Volume{ID: "LARGE"}
	root := &isomaster.Node{Children: []*isomaster.Node{{Name: "large", Extents: []iso9660.Extent{{Block: 64, Size: size}}}}}
	m.AddBytes(64*iso9660.BlockSize, []byte("start"))
	m.AddBytes(64*iso9660.BlockSize+size-3, []byte("end"))
	at := uint32(64 + size/iso9660.BlockSize + 1)
	v.Size = int64(at+20) * iso9660.BlockSize
	pieces, err := isomaster.Metadata(root, v, at)
	require.NoError(t, err)
	for _, p := range pieces {
		m.Add(int64(p.Block)*iso9660.BlockSize, p, p.Size())
	}
	m.SetSize(v.Size)

	var out sparseWriter
	_, err = isobuild.Remaster(t.Context(), &out, m, isobuild.WithCloudConfig([]byte("config")))
	require.NoError(t, err)
	out.image.SetSize(out.n)
	im, err := iso9660.Open(&out.image, out.n)
	require.NoError(t, err)
	assert.Equal(t, "config", read(t, im, "config.yaml"))
	f, err := im.Open("large")
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	assert.Equal(t, int64(size), info.Size())
	b := make([]byte, 5)
	_, err = f.(io.ReaderAt).ReadAt(b, 0)
	require.NoError(t, err)
	assert.Equal(t, "start", string(b))
	_, err = f.(io.ReaderAt).ReadAt(b, size-5)
	require.NoError(t, err)
	assert.Equal(t, "\x00\x00end", string(b))
}

// sparseWriter keeps what is written, but for long runs of zeros.
type sparseWriter struct {
	image mosaic.Image
	n     int64
}

// Write implements [io.Writer].
func (w *sparseWriter) Write(p []byte) (int, error) {
	zeros := make([]byte, 64<<10)
	for at := 0; at < len(p); at += len(zeros) {
		if part := p[at:min(len(p), at+len(zeros))]; !bytes.Equal(part, zeros[:len(part)]) {
			w.image.AddBytes(w.n+int64(at), bytes.Clone(part))
		}
	}
	w.n += int64(len(p))
	return len(p), nil
}
