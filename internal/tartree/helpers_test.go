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
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		require.NoError(t, w.WriteHeader(&e.Header))
		_, err := io.WriteString(w, e.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
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
func flatten(t testing.TB, all ...[]byte) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	err := tartree.Flatten(t.Context(), &out, tartree.Flattening{
		Layers: layers(all...), Dir: t.TempDir(), MaxBytes: math.MaxInt64, Progress: func(int64) {},
	})
	return out.Bytes(), err
}

// list shows a tar as OpenTar would, a line for each entry.
func list(t testing.TB, data []byte) []string {
	t.Helper()
	tree, err := tartree.Scan(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	var lines []string
	require.NoError(t, tree.Walk(func(name string, n *tartree.Node) error {
		lines = append(lines, line(t, data, name, n))
		return nil
	}))
	return lines
}

func line(t testing.TB, data []byte, name string, n *tartree.Node) string {
	t.Helper()
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
		words = append(words, fmt.Sprintf("%q", content(t, data, n)))
	}
	for key, value := range h.PAXRecords {
		words = append(words, fmt.Sprintf("%s=%q", strings.TrimPrefix(key, "SCHILY.xattr."), value))
	}
	return strings.Join(words, " ")
}

// content reads a file of the archive data, in two parts.
func content(t testing.TB, data []byte, n *tartree.Node) []byte {
	t.Helper()
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
		require.NoError(t, err)
	}
	return content
}
