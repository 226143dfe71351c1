package isomaster_test

import (
	"archive/tar"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
)

// FuzzNames gives a directory two kinds of children for each line of names. What
// is not refused is read back as it was, and no two identifiers are the same.
func FuzzNames(f *testing.F) {
	slashes := regexp.MustCompile("/+")
	f.Add("a\nA\na.b\n.hidden", "a/b")
	f.Add(strings.Repeat("x", 253)+"\n"+strings.Repeat("x", 252), strings.Repeat("../", 1000))
	f.Add("ümläut\n\xff\n日本語.txt\n😀", "/")
	f.Add("a;1\na\na.\na..", "a/./b")
	f.Fuzz(func(t *testing.T, names, target string) {
		root := &isomaster.Node{}
		lines := strings.Split(names, "\n")
		for i, name := range lines {
			root.Children = append(root.Children,
				&isomaster.Node{Name: name, Header: &tar.Header{Typeflag: tar.TypeSymlink, Linkname: target}},
				&isomaster.Node{Name: name + "+", Extents: []iso9660.Extent{{Block: uint32(20 + i), Size: 1}}})
		}
		v := &isomaster.Volume{ID: "FUZZ", Size: 1 << 30}
		pieces, err := isomaster.Metadata(root, v, 1<<18)
		if err != nil {
			return
		}
		image := make(map[int64][]byte)
		for _, p := range pieces {
			data := content(t, p)
			for i := 0; i < len(data); i += iso9660.BlockSize {
				image[int64(p.Block)+int64(i/iso9660.BlockSize)] = data[i : i+iso9660.BlockSize]
			}
		}
		tree, err := iso9660.Open(blocks(image), v.Size)
		require.NoError(t, err)
		entries, err := tree.ReadDir(".")
		require.NoError(t, err)
		require.Len(t, entries, 2*len(lines))
		for _, name := range lines {
			got, err := tree.ReadLink(name)
			require.NoError(t, err)
			require.Equal(t, slashes.ReplaceAllString(target, "/"), slashes.ReplaceAllString(got, "/"), "but for empty parts")
		}
		for names, want := range map[iso9660.Names]int{iso9660.Joliet: len(lines), iso9660.Plain: 2 * len(lines)} {
			tree, err := iso9660.Open(blocks(image), v.Size, iso9660.WithNames(names))
			require.NoError(t, err)
			entries, err := tree.ReadDir(".")
			require.NoError(t, err)
			different := make(map[string]bool)
			for _, e := range entries {
				different[strings.ToLower(e.Name())] = true
			}
			require.Len(t, different, want, "Windows and Linux do not tell the case")
		}
	})
}

// blocks is an image of which few blocks are not zero.
type blocks map[int64][]byte

func (b blocks) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	for n := 0; n < len(p); {
		at := off + int64(n)
		step := min(len(p)-n, int(iso9660.BlockSize-at%iso9660.BlockSize))
		copy(p[n:n+step], b[at/iso9660.BlockSize][min(int(at%iso9660.BlockSize), len(b[at/iso9660.BlockSize])):])
		n += step
	}
	return len(p), nil
}
