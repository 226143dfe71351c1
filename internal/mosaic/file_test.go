package mosaic_test

import (
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A wrapFS is a tree whose files have other methods.
type wrapFS struct {
	fs.FS

	wrap func(f fs.File) fs.File
}

func (t wrapFS) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	return t.wrap(f), err
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"f": {Data: []byte("0123456789")}}
	for name, wrap := range map[string]func(f fs.File) fs.File{
		"anywhere": func(f fs.File) fs.File { return f },
		"seeking": func(f fs.File) fs.File {
			return struct {
				fs.File
				io.Seeker
			}{f, f.(io.Seeker)}
		},
		"a stream": func(f fs.File) fs.File { return struct{ fs.File }{f} },
	} {
		p := []byte("xxxxxx")
		n, err := mosaic.ReadFile(wrapFS{tree, wrap}, "f", 10, p[:4], 6)
		require.NoError(t, err, name)
		assert.Equal(t, "4 6789xx", fmt.Sprint(n, " ", string(p)), name)
		n, err = mosaic.ReadFile(wrapFS{tree, wrap}, "f", 10, p, 7)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, name)
		require.EqualError(t, err, "ends after 10 bytes of 10: unexpected EOF", name)
		assert.Equal(t, 3, n, name)
	}
	_, err := mosaic.ReadFile(tree, "f", 9, make([]byte, 1), 0)
	require.EqualError(t, err, "has 10 bytes, and had 9")
	_, err = mosaic.ReadFile(tree, "g", 9, make([]byte, 1), 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
