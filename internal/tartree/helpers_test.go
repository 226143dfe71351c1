package tartree_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// An entry is one header with its content.
type entry struct {
	tar.Header

	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}, content}
}

func dir(name string) entry {
	return entry{tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o750}, ""}
}

func symlink(name, target string) entry {
	return entry{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, ""}
}

func link(name, target string) entry {
	return entry{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}, ""}
}

func whiteout(name string) entry { return file(name, "") }

// archive makes a tar of the entries.
func archive(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		require.NoError(tb, w.WriteHeader(&e.Header))
		_, err := io.WriteString(w, e.content)
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	return buf.Bytes()
}

// layers is what Flatten takes.
func layers(all ...[]byte) []tartree.Layer {
	var list []tartree.Layer
	for _, data := range all {
		list = append(list, func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		})
	}
	return list
}

// flatten returns the tar of the layers.
func flatten(tb testing.TB, all ...[]byte) ([]byte, error) {
	tb.Helper()
	var out bytes.Buffer
	err := tartree.Flatten(tb.Context(), &out, tartree.Flattening{
		Layers: layers(all...), Dir: tb.TempDir(), MaxBytes: math.MaxInt64, Progress: func(int64) {},
	})
	return out.Bytes(), err
}

// list shows a tar as OpenTar would, a line for each entry.
func list(tb testing.TB, data []byte) []string {
	tb.Helper()
	tree, err := tartree.Scan(bytes.NewReader(data), int64(len(data)))
	require.NoError(tb, err)
	var lines []string
	require.NoError(tb, tree.Walk(func(name string, n *tartree.Node) error {
		lines = append(lines, line(tb, data, name, n))
		return nil
	}))
	return lines
}

func line(tb testing.TB, data []byte, name string, n *tartree.Node) string {
	tb.Helper()
	h := n.Header(name)
	words := []string{name, fmt.Sprintf("%o", h.Mode)}
	if h.Uid+h.Gid > 0 {
		words = append(words, fmt.Sprintf("%d:%d", h.Uid, h.Gid))
	}
	switch {
	case h.Typeflag == tar.TypeLink:
		words = append(words, "=", h.Linkname)
	case n.IsDir():
		words = append(words, "dir")
	case n.Type == tar.TypeSymlink:
		words = append(words, "->", n.Target)
	case n.Type == tar.TypeChar, n.Type == tar.TypeBlock:
		words = append(words, fmt.Sprintf("device %c %d,%d", n.Type, n.Major, n.Minor))
	case n.Type == tar.TypeFifo:
		words = append(words, "pipe")
	default:
		words = append(words, fmt.Sprintf("%q", content(tb, data, n)))
	}
	for key, value := range h.PAXRecords {
		words = append(words, fmt.Sprintf("%s=%q", strings.TrimPrefix(key, "SCHILY.xattr."), value))
	}
	return strings.Join(words, " ")
}

// content reads a file of the archive data, in two parts.
func content(tb testing.TB, data []byte, n *tartree.Node) []byte {
	tb.Helper()
	r := bytes.NewReader(data)
	content := make([]byte, n.Size)
	half := n.Size / 2
	for _, part := range [][2]int64{{0, half}, {half, n.Size}} {
		to := content[part[0]:part[1]]
		var err error
		switch {
		case len(to) == 0:
		case n.Sparse != nil:
			_, err = n.Sparse.ReadAt(r, n.Size, to, part[0])
		default:
			_, err = r.ReadAt(to, n.Offset+part[0])
		}
		require.NoError(tb, err)
	}
	return content
}

// owner returns n as a header has it: on computers whose int has 32 bits it can
// be negative.
func owner(n int64) int { return int(n) }
