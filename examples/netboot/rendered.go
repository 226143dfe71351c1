package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

// A renderedTree is a tree in which one file, a cloud config, is rendered.
type renderedTree struct {
	fs.FS
	name string
	data []byte
}

// renderCloudConfig returns files with the cloud config of the command line
// filled in from -set. Without -set the file is served as it is.
func renderCloudConfig(c *config, files fs.FS) (fs.FS, error) {
	if len(c.values.Names()) == 0 {
		return files, nil
	}
	name := strings.TrimPrefix(c.cloudConfig, "/") // As ipxe opens it.
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := cloudconfig.Parse(f)
	if err == nil {
		d, err = d.Render(&c.values)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.cloudConfig, err)
	}
	return &renderedTree{FS: files, name: name, data: d.Bytes()}, nil
}

// Open implements [fs.FS].
func (t *renderedTree) Open(name string) (fs.File, error) {
	if name != t.name {
		return t.FS.Open(name)
	}
	return &renderedFile{Reader: bytes.NewReader(t.data), name: name}, nil
}

// A renderedFile is an open file in memory, and its own [fs.FileInfo]. It has
// no time, so that its ETag comes from its content.
type renderedFile struct {
	*bytes.Reader
	name string
}

// Stat implements [fs.File].
func (f *renderedFile) Stat() (fs.FileInfo, error) { return f, nil }

// Close implements [fs.File].
func (f *renderedFile) Close() error { return nil }

// Name implements [fs.FileInfo].
func (f *renderedFile) Name() string { return f.name }

// Mode implements [fs.FileInfo].
func (f *renderedFile) Mode() fs.FileMode { return 0o400 }

// ModTime implements [fs.FileInfo].
func (f *renderedFile) ModTime() time.Time { return time.Time{} }

// IsDir implements [fs.FileInfo].
func (f *renderedFile) IsDir() bool { return false }

// Sys implements [fs.FileInfo].
func (f *renderedFile) Sys() any { return nil }
