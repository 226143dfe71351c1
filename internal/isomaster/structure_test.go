package isomaster_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// TestStructure checks what readers seldom do: path tables, the order of
// records, and that no byte is used twice.
func TestStructure(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, linux)
	image := d.finish()
	all := make([]byte, image.Size())
	_, err := image.ReadAt(all, 0)
	require.NoError(t, err)
	for _, base := range []int{0, 16} {
		volume := all[base*iso9660.BlockSize:]
		walkVolume(t, volume, 16, false)
		walkVolume(t, volume, 17, true)
		assert.EqualValues(t, 255, volume[18*iso9660.BlockSize])
	}
}

// volumeWalk is the walk through one tree.
type volumeWalk struct {
	t      *testing.T
	image  []byte
	joliet bool
	used   []usedRange
	dirs   []walkedDir
}

// usedRange is a range of bytes that something lies in.
type usedRange struct {
	from, to int
	what     string
}

// walkedDir is a directory as its record has it.
type walkedDir struct {
	id           string
	parent       int
	block, bytes uint32
	name         string
}

func walkVolume(t *testing.T, image []byte, block int, joliet bool) {
	t.Helper()
	d := image[block*iso9660.BlockSize:]
	require.Equal(t, "CD001\x01", string(d[1:7]))
	w := &volumeWalk{t: t, image: image, joliet: joliet}
	root := d[156:190]
	w.dirs = []walkedDir{{id: "\x00", block: both(t, root[2:]), bytes: both(t, root[10:]), name: "/"}}
	for i := 0; i < len(w.dirs); i++ {
		w.directory(i)
	}
	size := both(t, d[132:])
	w.pathTable(binary.LittleEndian, binary.LittleEndian.Uint32(d[140:]), size)
	w.pathTable(binary.BigEndian, binary.BigEndian.Uint32(d[148:]), size)
	w.disjoint()
}

// both reads a number in both byte orders.
func both(t *testing.T, b []byte) uint32 {
	t.Helper()
	n := binary.LittleEndian.Uint32(b)
	require.Equal(t, n, binary.BigEndian.Uint32(b[4:]))
	return n
}

// use notes that something lies in a range of bytes.
func (w *volumeWalk) use(from, size int, what string) {
	w.used = append(w.used, usedRange{from, from + size, what})
}

func (w *volumeWalk) disjoint() {
	slices.SortFunc(w.used, func(a, b usedRange) int { return a.from - b.from })
	for i, r := range w.used[1:] {
		require.GreaterOrEqual(w.t, r.from, w.used[i].to, "%s and %s", r.what, w.used[i].what)
	}
}

func (w *volumeWalk) directory(i int) {
	d := w.dirs[i]
	from := int(d.block) * iso9660.BlockSize
	w.use(from, int(d.bytes), "directory "+d.name)
	require.Zero(w.t, d.bytes%iso9660.BlockSize)
	require.Less(w.t, i, 65536)
	var ids []string
	goesOn := false
	for at := from; at < from+int(d.bytes); {
		n := int(w.image[at])
		if n == 0 {
			at += iso9660.BlockSize - at%iso9660.BlockSize
			continue
		}
		r := w.image[at : at+n]
		require.Zero(w.t, n%2)
		require.Equal(w.t, at/iso9660.BlockSize, (at+n-1)/iso9660.BlockSize, "records do not cross blocks")
		id := string(r[33 : 33+r[32]])
		w.susp(r, d.name)
		if !goesOn {
			ids = append(ids, id)
		}
		require.False(w.t, goesOn && ids[len(ids)-1] != id)
		goesOn = r[25]&0x80 != 0
		if r[25]&2 != 0 && len(ids) > 2 {
			w.dirs = append(w.dirs, walkedDir{id: id, parent: i, block: both(w.t, r[2:]), bytes: both(w.t, r[10:]), name: path.Join(d.name, id)})
		}
		at += n
	}
	require.Equal(w.t, []string{"\x00", "\x01"}, ids[:2])
	w.order(ids[2:])
}

// order checks identifiers and their order (ECMA-119 2nd ed. §7.5, §7.6, §9.3).
func (w *volumeWalk) order(ids []string) {
	primary := regexp.MustCompile(`^([A-Z0-9_]+\.[A-Z0-9_]*;1|[A-Z0-9_]+)$`)
	for i, id := range ids {
		if w.joliet {
			require.LessOrEqual(w.t, len(id), 128)
			require.False(w.t, i > 0 && ids[i-1] >= id)
			continue
		}
		require.Regexp(w.t, primary, id)
		require.LessOrEqual(w.t, len(strings.TrimSuffix(id, ";1")), 31)
		require.False(w.t, i > 0 && padded(ids[i-1]) >= padded(id), "%s comes after %s", ids[i:], id)
	}
}

// padded is an identifier with name and extension filled with blanks.
func padded(id string) string {
	id, _, _ = strings.Cut(id, ";")
	name, extension, _ := strings.Cut(id, ".")
	return fmt.Sprintf("%-31s.%-31s", name, extension)
}

// susp checks where the fields of a record are.
func (w *volumeWalk) susp(r []byte, name string) {
	head := 33 + int(r[32])
	area := r[head+head%2:]
	require.True(w.t, !w.joliet || len(area) == 0)
	for len(area) > 3 {
		n := int(area[2])
		require.GreaterOrEqual(w.t, n, 4)
		require.LessOrEqual(w.t, n, len(area))
		field, rest := area[:n], area[n:]
		if string(field[:2]) == "CE" {
			require.LessOrEqual(w.t, len(rest), 1, "nothing follows in the area")
			block, off, size := both(w.t, field[4:]), both(w.t, field[12:]), both(w.t, field[20:])
			require.LessOrEqual(w.t, off+size, uint32(iso9660.BlockSize))
			from := int(block)*iso9660.BlockSize + int(off)
			w.use(from, int(size), "continuation in "+name)
			rest = w.image[from : from+int(size)]
		}
		area = rest
	}
	require.LessOrEqual(w.t, len(bytes.Trim(area, "\x00")), 0)
}

// pathTable checks one table against the directories.
func (w *volumeWalk) pathTable(order binary.ByteOrder, block, size uint32) {
	from := int(block) * iso9660.BlockSize
	w.use(from, int(size), "path table")
	table := w.image[from : from+int(size)]
	for i, d := range w.dirs {
		n := int(table[0])
		require.Equal(w.t, d.id, string(table[8:8+n]), "directory %d", i+1)
		require.Equal(w.t, d.block, order.Uint32(table[2:]))
		require.EqualValues(w.t, d.parent+1, order.Uint16(table[6:]))
		table = table[8+n+n%2:]
	}
	require.Empty(w.t, table)
}
