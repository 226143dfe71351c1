package isobuild_test

import (
	"bytes"
	"io"
	"testing"
	"testing/fstest"
	"time"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/isobuild"
)

// hybridISO returns a small image with all that Remaster changes: a partition
// that mounts by itself, and one behind it, which starts at a boot entry.
func hybridISO(f *testing.F) []byte {
	f.Helper()
	const start, data, blocks = 16, 60, 80
	efi := iso9660.BootEntry{Platform: iso9660.PlatformEFI, Bootable: true, Block: blocks}
	v := &isomaster.Volume{
		ID: "HYBRID", Size: (blocks + 16) * iso9660.BlockSize, NoJoliet: true,
		Partition: isomaster.Partition{Block: start, Size: (blocks - start) * iso9660.BlockSize},
		Boot:      []iso9660.BootEntry{efi}, CatalogBlock: data,
	}
	root := &isomaster.Node{Children: []*isomaster.Node{
		{Name: "file", Extents: []iso9660.Extent{{Block: data + 1, Size: 2000}}},
		{Name: "menu.cfg", Extents: []iso9660.Extent{{Block: data + 2, Size: 100}}},
		{Name: "esp", Extents: []iso9660.Extent{{Block: blocks, Size: 4096}}, Outside: true},
	}}
	pieces, err := isomaster.Metadata(root, v, data+3)
	if err != nil {
		f.Fatal(err)
	}
	m := mosaic.New()
	for _, p := range pieces {
		m.Add(int64(p.Block)*iso9660.BlockSize, p, p.Size())
	}
	m.SetSize(v.Size)
	table := &gpt.Table{Size: v.Size, ID: gpt.GUID{1}, Active: true, Partitions: []gpt.Partition{
		{Start: start * iso9660.BlockSize, Size: v.Partition.Size, Type: gpt.BasicData(), ID: gpt.GUID{2}},
		{Start: blocks * iso9660.BlockSize, Size: 4096, Type: gpt.EFISystem(), ID: gpt.GUID{3}},
	}}
	head, tail, err := table.Encode()
	if err != nil {
		f.Fatal(err)
	}
	b := make([]byte, v.Size)
	if _, err := io.ReadFull(io.NewSectionReader(m, 0, v.Size), b); err != nil {
		f.Fatal(err)
	}
	copy(b, head)
	copy(b[(data+2)*iso9660.BlockSize:], "search --fs-uuid 1970-01-01-00-00-00-00\nlinux root=live:CDLABEL=HYBRID")
	copy(b[len(b)-len(tail):], tail)
	return b
}

func FuzzRemaster(f *testing.F) {
	options := [][]isobuild.Option{nil, {isobuild.WithVolumeID("NEW")}, {isobuild.WithTime(time.Unix(1e9, 0))}}
	for i := range options {
		f.Add(hybridISO(f), uint8(i))
	}
	latin := hybridISO(f)
	latin[16*iso9660.BlockSize+40] = 0xDC // The first byte of the volume identifier.
	f.Add(latin, uint8(1))
	overlay := fstest.MapFS{"new/file": labFile([]byte("new")), "file": labFile([]byte("other"))}
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		if len(b) > 1<<20 || int(which) >= len(options) {
			return
		}
		old := bytes.Clone(b)
		var out bytes.Buffer
		n, err := isobuild.Remaster(t.Context(), &out, bytes.NewReader(b), append(options[which], isobuild.WithFiles(overlay))...)
		if !bytes.Equal(b, old) {
			t.Fatal("the input changed")
		}
		if err != nil {
			return
		}
		if n != int64(out.Len()) || n > int64(len(b))+4<<20 {
			t.Fatalf("wrote %d bytes, returned %d, of an image of %d", out.Len(), n, len(b))
		}
		im, err := iso9660.Open(bytes.NewReader(out.Bytes()), n)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := im.Open("new/file"); err != nil {
			t.Fatal(err)
		} else if got, err := io.ReadAll(f); err != nil || string(got) != "new" {
			t.Fatalf("read %q: %v", got, err)
		}
	})
}
