package bootloader

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"
)

var (
	_ fs.ReadDirFS = (*tree)(nil)
	_ fs.StatFS    = (*tree)(nil)
)

// A tree is a small file tree whose files are others', or in memory.
type tree struct {
	nodes map[string]*node
}

// A node is a file or a directory. It is its own fs.FileInfo and fs.DirEntry.
type node struct {
	name    string
	dir     bool
	entries []fs.DirEntry
	size    int64
	data    []byte // if from is nil
	from    fs.FS
	path    string // in from
}

func newTree() *tree {
	return &tree{nodes: map[string]*node{".": {name: ".", dir: true}}}
}

// addFile adds a file that is in another tree.
func (t *tree) addFile(name string, from fs.FS, where string) {
	t.add(name, &node{from: from, path: where})
}

// addBytes adds a file.
func (t *tree) addBytes(name string, data []byte) {
	t.add(name, &node{data: data, size: int64(len(data))})
}

// add adds n, unless there is a file of that name, and the folders that it is in.
func (t *tree) add(name string, n *node) {
	if t.nodes[name] != nil {
		return
	}
	n.name = path.Base(name)
	t.nodes[name] = n
	parent := path.Dir(name)
	t.add(parent, &node{dir: true})
	folder := t.nodes[parent]
	folder.entries = append(folder.entries, n)
}

// finish looks up the sizes of files, and sorts folders.
func (t *tree) finish() error {
	for name, n := range t.nodes {
		slices.SortFunc(n.entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
		if n.from == nil {
			continue
		}
		info, err := fs.Stat(n.from, n.path)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		n.size = info.Size()
	}
	return nil
}

// find returns what is called name, or a [*fs.PathError].
func (t *tree) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if n := t.nodes[name]; n != nil {
		return n, nil
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Open implements [fs.FS].
func (t *tree) Open(name string) (fs.File, error) {
	n, err := t.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case n.dir:
		return &openDir{node: n}, nil
	case n.from == nil:
		return &openBytes{bytes.NewReader(n.data), n}, nil
	}
	f, err := n.from.Open(n.path)
	if err != nil {
		return nil, err
	}
	r, reads := f.(io.ReaderAt)
	if s, seeks := f.(io.Seeker); reads && seeks {
		return &openFile{f, r, s, n}, nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProgram))
	return &openBytes{bytes.NewReader(data), n}, err
}

// Stat implements [fs.StatFS].
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	n, err := t.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name)
	if err == nil && !n.dir {
		err = &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	if err != nil {
		return nil, err
	}
	return slices.Clone(n.entries), nil
}

func (n *node) Name() string               { return n.name }
func (n *node) Size() int64                { return n.size }
func (n *node) ModTime() time.Time         { return time.Time{} }
func (n *node) IsDir() bool                { return n.dir }
func (n *node) Type() fs.FileMode          { return n.Mode().Type() }
func (n *node) Sys() any                   { return nil }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }
func (n *node) String() string             { return fs.FormatDirEntry(n) }

// Mode implements [fs.FileInfo].
func (n *node) Mode() fs.FileMode {
	if n.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// openBytes is an open file in memory.
type openBytes struct {
	*bytes.Reader

	node *node
}

func (f *openBytes) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openBytes) Close() error               { return nil }

// openFile is an open file of another tree.
type openFile struct {
	fs.File
	io.ReaderAt
	io.Seeker

	node *node
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }

// openDir is an open folder.
type openDir struct {
	*node

	next int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }

// Read implements [fs.File].
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	list := d.entries[d.next:]
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	d.next += len(list)
	return slices.Clone(list), nil
}
