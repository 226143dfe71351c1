package squashfs_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

func ExampleWrite() {
	folder, err := os.MkdirTemp("", "squashfs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	root := fstest.MapFS{
		"etc/hostname":   {Data: []byte("node-1\n"), Mode: 0o644},
		"etc/os-release": {Data: []byte("ID=debian\n"), Mode: 0o644},
		"usr/bin/sh":     {Data: []byte("dash"), Mode: fs.ModeSymlink | 0o777},
	}
	image, err := os.Create(filepath.Join(folder, "rootfs.squashfs"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer image.Close()
	size, err := squashfs.Write(context.Background(), image, root, squashfs.WithCompression(squashfs.Gzip))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(size, "bytes")

	tree, err := squashfs.Open(image, size)
	if err != nil {
		fmt.Println(err)
		return
	}
	name, err := fs.ReadFile(tree, "etc/hostname")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", name)
	// Output:
	// 4096 bytes
	// node-1
}
