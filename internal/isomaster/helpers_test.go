package isomaster_test

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// firstData is where the files of a disc begin: behind both sets of descriptors.
const firstData = 48

var (
	pressed  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	modified = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
)

// disc is an image in the making, and what its readers should find.
type disc struct {
	t      *testing.T
	root   *isomaster.Node
	dirs   map[string]*isomaster.Node // by path; and files
	image  *mosaic.Image
	next   uint32 // the first free block
	want   manifest.Manifest
	volume isomaster.Volume
	beyond []beyond
	images []*isomaster.Node // that the boot catalogue names
}

// beyond is a file that is stored behind the directories.
type beyond struct {
	node *isomaster.Node
	data []byte
}

// newDisc makes an image with a partition in it.
func newDisc(t *testing.T) *disc {
	t.Helper()
	d := &disc{
		t: t, root: &isomaster.Node{Header: &tar.Header{Typeflag: tar.TypeDir, Mode: 0o755, ModTime: modified}},
		image: mosaic.New(), next: firstData, want: manifest.Manifest{},
		volume: isomaster.Volume{ID: "Disc 1", Time: pressed, Partition: isomaster.Partition{Block: 16}},
	}
	d.dirs = map[string]*isomaster.Node{".": d.root}
	d.want["."] = manifest.Entry{Mode: fs.ModeDir | 0o755, ModTime: modified}
	return d
}

// insert puts n into the directory of name, which is made if it is missing.
func (d *disc) insert(name string, n *isomaster.Node) *isomaster.Node {
	d.t.Helper()
	parent, base := path.Split(name)
	parent = path.Clean(parent)
	if d.dirs[parent] == nil {
		d.folder(parent)
	}
	n.Name = base
	d.dirs[name] = n
	d.dirs[parent].Children = append(d.dirs[parent].Children, n)
	return n
}

// header is one with attributes that can be told from the usual ones.
func header(kind byte, mode int64) *tar.Header {
	return &tar.Header{Typeflag: kind, Mode: mode, Uid: 1234, Gid: owner(4000000000), ModTime: modified}
}

func entry(h *tar.Header) manifest.Entry {
	return manifest.Entry{
		Mode: h.FileInfo().Mode(), UID: h.Uid, GID: h.Gid, ModTime: h.ModTime, Target: h.Linkname,
		Device: [2]uint32{uint32(h.Devmajor), uint32(h.Devminor)},
	}
}

func (d *disc) folder(name string) {
	d.t.Helper()
	h := header(tar.TypeDir, 0o750)
	d.insert(name, &isomaster.Node{Header: h, Children: []*isomaster.Node{}})
	d.want[name] = entry(h)
}

// special adds what has a header only.
func (d *disc) special(name string, h *tar.Header) {
	d.t.Helper()
	d.insert(name, &isomaster.Node{Header: h})
	d.want[name] = entry(h)
}

func (d *disc) symlink(name, target string) {
	d.t.Helper()
	h := header(tar.TypeSymlink, 0o777)
	h.Linkname = target
	d.special(name, h)
}

// file adds one with data.
func (d *disc) file(name, data string, mode int64) *isomaster.Node {
	d.t.Helper()
	h := header(tar.TypeReg, mode)
	n := d.insert(name, &isomaster.Node{Header: h})
	n.Extents = d.store(bytes.NewReader([]byte(data)), int64(len(data)))
	d.want[name] = fileEntry(h, data)
	return n
}

func fileEntry(h *tar.Header, data string) manifest.Entry {
	e := entry(h)
	e.Sum, e.Size, _ = manifest.Sum(strings.NewReader(data))
	return e
}

// store puts data at the next free block.
func (d *disc) store(r io.ReaderAt, size int64) []iso9660.Extent {
	if size == 0 {
		return nil
	}
	at := d.next
	d.image.Add(int64(at)*iso9660.BlockSize, r, size)
	d.next += uint32((size + iso9660.BlockSize - 1) / iso9660.BlockSize)
	return []iso9660.Extent{{Block: at, Size: size}}
}

// link adds one more name of the file called target.
func (d *disc) link(name, target string) {
	d.t.Helper()
	d.insert(name, &isomaster.Node{Same: d.dirs[target]})
	first := min(name, target)
	if same := d.want[target].Same; same != "" {
		first = min(first, same)
	}
	e := d.want[target]
	e.Links = max(e.Links, 1) + 1
	d.want[name] = e
	for p := range d.want {
		if n := d.dirs[p]; n == d.dirs[target] || n.Same != nil && n.Same == d.dirs[target] {
			x := d.want[p]
			x.Links, x.Same = e.Links, first
			if p == first {
				x.Same = ""
			}
			d.want[p] = x
		}
	}
}

// outside adds a file that lies behind the partition.
func (d *disc) outside(name, data string) {
	d.t.Helper()
	h := header(tar.TypeReg, 0o644)
	n := d.insert(name, &isomaster.Node{Header: h, Outside: true, Extents: []iso9660.Extent{{Size: int64(len(data))}}})
	d.beyond = append(d.beyond, beyond{n, []byte(data)})
	d.want[name] = fileEntry(h, data)
}

// boot adds a boot catalogue that names the image for the BIOS and that for UEFI.
func (d *disc) boot(bios, uefi string) {
	d.t.Helper()
	h := header(tar.TypeReg, 0o400)
	d.volume.CatalogBlock = d.next
	d.insert("boot/boot.catalog", &isomaster.Node{Header: h, Extents: []iso9660.Extent{{Block: d.next, Size: iso9660.BlockSize}}})
	d.next++
	d.images = []*isomaster.Node{d.dirs[bios], d.dirs[uefi]}
	d.volume.Boot = []iso9660.BootEntry{{Bootable: true, Sectors: 4}, {Bootable: true, Platform: iso9660.PlatformEFI}}
}

// finish puts the metadata in and returns the image.
func (d *disc) finish() *mosaic.Image {
	d.t.Helper()
	blocks, err := isomaster.Measure(d.root, &d.volume)
	require.NoError(d.t, err)
	at := d.next
	d.next += blocks
	if p := &d.volume.Partition; p.Block > 0 {
		p.Size = int64(d.next-p.Block) * iso9660.BlockSize
	}
	for _, b := range d.beyond {
		b.node.Extents = d.store(bytes.NewReader(b.data), int64(len(b.data)))
	}
	for i, n := range d.images {
		d.volume.Boot[i].Block = n.Extents[0].Block
		if i > 0 {
			d.volume.Boot[i].Sectors = isomaster.Sectors(n.Extents[0].Size)
		}
	}
	d.volume.Size = int64(d.next) * iso9660.BlockSize
	pieces, err := isomaster.Metadata(d.root, &d.volume, at)
	require.NoError(d.t, err)
	end := uint32(0)
	for _, p := range pieces {
		require.GreaterOrEqual(d.t, p.Block, end, "pieces are in order")
		require.Zero(d.t, p.Size()%iso9660.BlockSize)
		end = p.Block + uint32(p.Size()/iso9660.BlockSize)
		d.image.Add(int64(p.Block)*iso9660.BlockSize, p, p.Size())
		if p.Block == d.volume.CatalogBlock && p.Block > 0 {
			d.want["boot/boot.catalog"] = fileEntry(d.dirs["boot/boot.catalog"].Header, string(content(d.t, p)))
		}
	}
	require.Equal(d.t, at+blocks, end, "Measure says what Metadata takes")
	d.image.SetSize(d.volume.Size)
	require.NoError(d.t, d.image.Check())
	return d.image
}

// content reads a piece.
func content(t *testing.T, p isomaster.Piece) []byte {
	t.Helper()
	b := make([]byte, p.Size())
	_, err := p.ReadAt(b, 0)
	require.NoError(t, err)
	return b
}

// save writes the image into a file.
func (d *disc) save() string {
	d.t.Helper()
	name := filepath.Join(d.t.TempDir(), "disc.iso")
	f, err := os.Create(name)
	require.NoError(d.t, err)
	require.NoError(d.t, d.image.CopyAt(d.t.Context(), f))
	require.NoError(d.t, f.Close())
	return name
}

// inPartition is what the partition's own tree has.
func (d *disc) inPartition() manifest.Manifest {
	m := manifest.Manifest{}
	for p, e := range d.want {
		if !d.dirs[p].Outside {
			m[p] = e
		}
	}
	return m
}

// owner returns n as a header has it: on computers whose int has 32 bits it can
// be negative.
func owner(n int64) int { return int(n) }
