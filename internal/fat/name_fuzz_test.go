package fat_test

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
)

// FuzzNewNames makes a volume with two files, whatever their names: it fails,
// or a reader finds both names, each with a short one of its own.
func FuzzNewNames(f *testing.F) {
	for _, names := range [][2]string{
		{"README", "readme.txt"},
		{"long name one", "LONGNA~1"},
		{"a.b.c", ".a"},
		{"+.+", "[.["},
		{"ı", "I"},
		{"ſ.txt", "K.txt"},
		{"😀", "\xff"},
		{"x~1", "X~1.~1"},
		{strings.Repeat("ä", 255), "…. "},
		{"\x7f", "name.…"},
	} {
		f.Add(names[0], names[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		tree := fstest.MapFS{}
		for _, name := range []string{a, b} {
			if !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") || len(name) > 2000 {
				t.Skip("no name in a tree")
			}
			tree[name] = file([]byte(name))
		}
		image, err := fat.New(t.Context(), tree, fat.Volume{Bits: 12})
		if err != nil {
			return
		}
		var names []string
		for name := range tree {
			names = append(names, name)
		}
		slices.Sort(names)
		assert.Equal(t, names, readRoot(t, contents(t, image)))
	})
}

// readRoot returns the names in the root directory of a FAT12 or FAT16 volume,
// as the specification says to read them, and fails t where it is not as
// it should be.
func readRoot(t *testing.T, image []byte) (names []string) {
	t.Helper()
	le := binary.LittleEndian
	start := int(le.Uint16(image[14:])+2*le.Uint16(image[22:])) * 512
	var units []uint16
	var sum, next byte
	shorts := map[string]bool{}
	for e := image[start:]; e[0] != 0; e = e[32:] {
		if e[11] == 0x0F {
			if e[0]&0x40 != 0 {
				units, sum, next = nil, e[13], e[0]&^0x40
			}
			require.Equal(t, next, e[0]&^0x40, "parts are in order")
			require.Equal(t, sum, e[13])
			require.NotZero(t, next)
			next--
			units = append(decode(e[1:11], e[14:26], e[28:32]), units...)
			continue
		}
		require.Zero(t, next, "all parts are there")
		short := e[:11]
		require.False(t, shorts[string(short)], "%q is there twice", short)
		shorts[string(short)] = true
		requireShort(t, short)
		name := strings.TrimRight(string(short[:8]), " ")
		if extension := strings.TrimRight(string(short[8:]), " "); extension != "" {
			name += "." + extension
		}
		if len(units) > 0 {
			var want byte
			for _, b := range short {
				want = want>>1 | want<<7
				want += b
			}
			require.Equal(t, want, sum)
			if end := slices.Index(units, 0); end >= 0 {
				units = units[:end]
			}
			name = string(utf16.Decode(units))
		}
		names, units = append(names, name), nil
	}
	slices.Sort(names)
	return names
}

// decode returns the units in parts.
func decode(parts ...[]byte) (units []uint16) {
	for part := range slices.Chunk(bytes.Join(parts, nil), 2) {
		units = append(units, binary.LittleEndian.Uint16(part))
	}
	return units
}

// requireShort checks the characters of a short name.
func requireShort(t *testing.T, short []byte) {
	t.Helper()
	for _, part := range [][]byte{short[:8], short[8:]} {
		name := bytes.TrimRight(part, " ")
		for _, b := range name {
			require.True(t, b > ' ' && b < 0x7F && !bytes.ContainsRune([]byte("abcdefghijklmnopqrstuvwxyz\"*+,./:;<=>?[\\]|"), rune(b)), "%q", short)
		}
	}
	require.NotEqual(t, byte(' '), short[0])
}
