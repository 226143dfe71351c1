package isomaster_test

import (
	"archive/tar"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
)

// sound is a volume that metadata can be made for, at block 100.
func sound() *isomaster.Volume {
	return &isomaster.Volume{ID: "COS_LIVE", Size: 1 << 20, Partition: isomaster.Partition{Block: 16, Size: 1<<20 - 64<<10}}
}

// TestMeasureErrors has trees that cannot be recorded, wherever their data is.
func TestMeasureErrors(t *testing.T) {
	t.Parallel()

	type node = isomaster.Node
	of := func(kind byte, set func(*tar.Header)) *tar.Header {
		h := &tar.Header{Typeflag: kind}
		set(h)
		return h
	}
	none := func(*tar.Header) {}
	file := &node{Name: "file"}
	extents := func(sizes ...int64) (e []iso9660.Extent) {
		for _, n := range sizes {
			e = append(e, iso9660.Extent{Block: 50, Size: n})
		}
		return e
	}
	for want, nodes := range map[string][]*node{
		"/d/" + strings.Repeat("n", 254) + ": name of 254 bytes, and Linux reads at most 253 from Rock Ridge": {{Name: strings.Repeat("n", 254)}},
		"/d/..: no name of a file":                                      {{Name: ".."}},
		"/d: no name of a file":                                         {{Header: of(tar.TypeReg, none)}},
		"/d/a/b: name with a slash or a zero byte":                      {{Name: "a/b"}},
		"/d/a: two files with this name":                                {{Name: "a"}, {Name: "b"}, {Name: "a"}},
		"/d/a: type 'x' of the header cannot be recorded":               {{Name: "a", Header: of('x', none)}},
		"/d/a: type '1' of the header cannot be recorded":               {{Name: "a", Header: of(tar.TypeLink, none)}},
		"/d/a: has children and is no directory":                        {{Name: "a", Header: of(tar.TypeReg, none), Children: []*node{file}}},
		"/d/a: has extents and is no regular file":                      {{Name: "a", Header: of(tar.TypeFifo, none), Extents: extents(1)}},
		"/d/a: extent 1 of 2 has 5 bytes, want a multiple of 2048":      {{Name: "a", Extents: extents(5, 5)}},
		"/d/a: extent 1 of 1 has -1 bytes, want a multiple of 2048":     {{Name: "a", Extents: extents(-1)}},
		"/d/a: 101 sections, and Linux reads at most 100":               {{Name: "a", Extents: extents(100*(1<<32-2048) + 1)}},
		"/d/a: owner -1:0 is not in 0..4294967295":                      {{Name: "a", Header: of(tar.TypeReg, func(h *tar.Header) { h.Uid = -1 })}},
		"/d/a: owner 0:4294967296 is not in 0..4294967295":              {{Name: "a", Header: of(tar.TypeDir, func(h *tar.Header) { h.Gid = owner(1 << 32) })}},
		"/d/a: symbolic link without a target":                          {{Name: "a", Header: of(tar.TypeSymlink, none)}},
		"/d/a: link target with a zero byte":                            {{Name: "a", Header: of(tar.TypeSymlink, func(h *tar.Header) { h.Linkname = "a\x00" })}},
		"/d/a: link target of 4096 bytes, and Linux reads at most 4095": {{Name: "a", Header: of(tar.TypeSymlink, func(h *tar.Header) { h.Linkname = strings.Repeat("t", 4096) })}},
		"/d/a: device number 4294967296:0 is not in 0..4294967295":      {{Name: "a", Header: of(tar.TypeChar, func(h *tar.Header) { h.Devmajor = 1 << 32 })}},
		"/d/a: device number 0:256, which Linux reads as another one":   {{Name: "a", Header: of(tar.TypeBlock, func(h *tar.Header) { h.Devminor = 256 })}},
		"/d/a: hard link to a directory":                                {{Name: "a", Same: &node{Name: "b", Children: []*node{}}}},
		"/d/a: hard link to a hard link":                                {{Name: "a", Same: &node{Name: "b", Same: file}}},
		"/d/a: hard link to a file that is not in the tree":             {{Name: "a", Same: file}},
	} {
		if strconv.IntSize == 32 && strings.Contains(want, "owner") {
			continue // All that an int can be is an owner.
		}
		root := &node{Children: []*node{{Name: "d", Children: nodes}}}
		_, err := isomaster.Measure(root, sound())
		require.EqualError(t, err, "isomaster: "+want)
		_, err = isomaster.Metadata(root, sound(), 100)
		require.EqualError(t, err, "isomaster: "+want)
	}
	_, err := isomaster.Measure(file, sound())
	require.EqualError(t, err, "isomaster: the root is no directory without a name")
}

// TestMeasureWhenTooManyDirectories has more than path tables can number.
func TestMeasureWhenTooManyDirectories(t *testing.T) {
	t.Parallel()

	root := &isomaster.Node{}
	for i := range 65535 {
		n := &isomaster.Node{Name: strings.Repeat("d", 1+i%200) + string(rune('a'+i/200%26)) + string(rune('a'+i/5200)), Children: []*isomaster.Node{}}
		root.Children = append(root.Children, n)
	}
	v := &isomaster.Volume{NoJoliet: true}
	_, err := isomaster.Measure(root, v)
	require.NoError(t, err, "many directories are no fault")
	for _, n := range root.Children {
		n.Children = []*isomaster.Node{{Name: "in", Children: []*isomaster.Node{}}}
	}
	_, err = isomaster.Measure(root, v)
	require.ErrorContains(t, err, "/in: directory in one that is not among the first 65535")
}

// TestMetadataErrors has volumes that do not hold together.
func TestMetadataErrors(t *testing.T) {
	t.Parallel()

	type volume = isomaster.Volume
	for want, change := range map[string]func(*volume){
		`volume identifier "` + strings.Repeat("x", 33) + `": 33 bytes, at most 32 can be recorded`: func(v *volume) { v.ID = strings.Repeat("x", 33) },
		`volume identifier "Ü": 'Ü' is not printable ASCII`:                                         func(v *volume) { v.ID = "Ü" },
		`volume identifier "a ": readers drop the blank at the end`:                                 func(v *volume) { v.ID = "a " },
		`system identifier "a\n": '\n' is not printable ASCII`:                                      func(v *volume) { v.System = "a\n" },
		`publisher "` + strings.Repeat("x", 129) + `": 129 bytes, at most 128 can be recorded`:      func(v *volume) { v.Publisher = strings.Repeat("x", 129) },
		"size of the volume is 2049, want a multiple of 2048, up to 4294967295 blocks": func(v *volume) {
			v.Size, v.Partition = 2049, isomaster.Partition{}
		},
		"size of the partition is 0, want a multiple of 2048, up to 4294967295 blocks":                      func(v *volume) { v.Partition.Size = 0 },
		"partition begins at block 2, and its descriptors would lie on those of the image: want at least 3": func(v *volume) { v.Partition.Block = 2 },
		"partition ends at block 528, and the image at 512":                                                 func(v *volume) { v.Partition.Size = 1 << 20 },
		"time of the volume: year 10000 is not in 1..9999":                                                  func(v *volume) { v.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"path tables and directories: blocks 100 to 109 are not all in 19 to 105":                           func(v *volume) { v.Size, v.Partition = 105<<11, isomaster.Partition{} },
		"path tables and directories: blocks 100 to 118 are not all in 35 to 116":                           func(v *volume) { v.Partition.Size = 100 << 11 },
		"boot catalogue: blocks 0 to 1 are not all in 20 to 512":                                            func(v *volume) { v.Boot = []iso9660.BootEntry{{Block: 60}} },
		"boot entry 1 of 1: blocks 512 to 513 are not all in 20 to 512":                                     func(v *volume) { v.CatalogBlock, v.Boot = 60, []iso9660.BootEntry{{Block: 512}} },
		"33 boot entries, and the catalogue has room for 32":                                                func(v *volume) { v.Boot = make([]iso9660.BootEntry, 33) },
		"metadata at block 100 reaches to block 105, and more of it is at block 101":                        func(v *volume) { v.CatalogBlock, v.Boot = 101, []iso9660.BootEntry{{Block: 60}} },
		"/dir/file: blocks 50 to 51 are not all in 51 to 496":                                               func(v *volume) { v.Partition.Block = 32; v.Partition.Size = 464 << 11 },
	} {
		file := &isomaster.Node{Name: "file", Extents: []iso9660.Extent{{Block: 50, Size: 1}}}
		root := &isomaster.Node{Children: []*isomaster.Node{{Name: "dir", Children: []*isomaster.Node{file}}}}
		v := sound()
		change(v)
		_, err := isomaster.Metadata(root, v, 100)
		assert.EqualError(t, err, "isomaster: "+want)
	}
	for want, block := range map[string]uint32{
		"/file: blocks 5 to 6 are not all in 19 to 512":                           5,
		"/file: blocks 512 to 513 are not all in 19 to 512":                       512,
		"/file: blocks 481 to 482 are not all in 35 to 480":                       481,
		"/file: blocks 105 to 106 lie on path tables and directories, 100 to 114": 105,
	} {
		root := &isomaster.Node{Children: []*isomaster.Node{{Name: "file", Extents: []iso9660.Extent{{Block: block, Size: 1}}}}}
		v := sound()
		v.Partition.Size = (480 - 16) << 11
		_, err := isomaster.Metadata(root, v, 100)
		assert.EqualError(t, err, "isomaster: "+want)
	}
}

// TestOutside leaves out a directory whose files lie behind the partition, and
// has a link to one of them.
func TestOutside(t *testing.T) {
	t.Parallel()

	file := &isomaster.Node{Name: "file", Extents: []iso9660.Extent{{Block: 500, Size: 1}}}
	link := &isomaster.Node{Name: "link", Same: file}
	root := &isomaster.Node{Children: []*isomaster.Node{{Name: "dir", Outside: true, Children: []*isomaster.Node{file}}, link}}
	_, err := isomaster.Metadata(root, sound(), 100)
	require.EqualError(t, err, "isomaster: /link: blocks 500 to 501 are not all in 35 to 496")
	link.Outside = true
	_, err = isomaster.Metadata(root, sound(), 100)
	require.NoError(t, err)
}
