package isomaster_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// asRead leaves away what a tree of tar headers cannot tell, sockets, and what
// does not matter, double slashes in links.
func asRead(_ string, e *manifest.Entry) {
	if e.Mode&fs.ModeSocket != 0 || e.Mode.IsRegular() && e.Size == 0 {
		e.Mode, e.Sum = e.Mode.Perm(), ""
	}
	e.Target = strings.ReplaceAll(e.Target, "//", "/")
}

func TestRockRidge(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, linux)
	image := d.finish()
	all, err := iso9660.Open(image, image.Size())
	require.NoError(t, err)
	got, err := manifest.FS(all)
	require.NoError(t, err)
	assert.Empty(t, manifest.Diff(d.want.Edit(asRead), got.Edit(asRead)))

	p := d.volume.Partition
	from := int64(p.Block) * iso9660.BlockSize
	part, err := iso9660.Open(io.NewSectionReader(image, from, p.Size), p.Size)
	require.NoError(t, err)
	got, err = manifest.FS(part)
	require.NoError(t, err)
	assert.Empty(t, manifest.Diff(d.inPartition().Edit(asRead), got.Edit(asRead)))
	assert.Equal(t, uint32(p.Size/iso9660.BlockSize), part.Volume().Blocks)
	assert.Equal(t, uint32(image.Size()/iso9660.BlockSize), all.Volume().Blocks)
	assert.Equal(t, pressed, all.Volume().Created)
	assert.Equal(t, pressed, all.Volume().Modified)
	assert.Equal(t, "Fedora-WS-Live-41 (x86) Disc 100", part.Volume().ID)
	assert.Equal(t, "netbootkit", part.Volume().Application)
	assert.Equal(t, "a set", part.Volume().Set)
}

// TestNames shows what becomes of names where there is no Rock Ridge. The
// contents tell which file is which.
func TestNames(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, linux)
	image := d.finish()
	for name, names := range map[string]iso9660.Names{"joliet.txt": iso9660.Joliet, "plain.txt": iso9660.Plain} {
		tree, err := iso9660.Open(image, image.Size(), iso9660.WithNames(names))
		require.NoError(t, err)
		got, err := manifest.FS(tree)
		require.NoError(t, err)
		var list bytes.Buffer
		for _, p := range got.Paths() {
			if !strings.HasPrefix(strings.ToLower(p), "many/") && !strings.HasPrefix(strings.ToLower(p), "deep/") {
				fmt.Fprintf(&list, "%q %d %.8s\n", p, got[p].Size, got[p].Sum)
			}
		}
		golden.Check(t, name, list.Bytes())
		from, size := int64(d.volume.Partition.Block)*iso9660.BlockSize, d.volume.Partition.Size
		tree, err = iso9660.Open(io.NewSectionReader(image, from, size), size, iso9660.WithNames(names))
		require.NoError(t, err)
		part, err := manifest.FS(tree)
		require.NoError(t, err)
		delete(got, "boot/uefi.img")
		delete(got, "BOOT/UEFI.IMG")
		assert.Empty(t, manifest.Diff(got, part))
	}
}
