package dentry_test

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// A numbered node is what a file system with numbers would keep.
type numbered struct {
	dentry.Entry[*numbered]

	number int
}

func Example() {
	tree := fstest.MapFS{"etc/issue": {Data: []byte("hello\n"), Mode: 0o644}, "init": {Data: []byte("bin/sh"), Mode: fs.ModeSymlink | 0o777}}
	var list []*numbered
	reader := dentry.Reader[*numbered]{
		Package: "example",
		New:     func() *numbered { return new(numbered) },
		Add: func(n *numbered, _ string, _ fs.FileInfo, _ *tar.Header) error {
			n.number = len(list)
			list = append(list, n)
			return nil
		},
	}
	root, err := reader.Read(context.Background(), tree)
	if err != nil {
		panic(err)
	}
	for _, n := range list {
		fmt.Printf("%d %o %q %q\n", n.number, n.Mode, n.Path(), n.Target)
	}
	fmt.Println("the root has", root.Links, "links")
	// Output:
	// 0 40555 "." ""
	// 1 40555 "etc" ""
	// 2 100644 "etc/issue" ""
	// 3 120777 "init" "bin/sh"
	// the root has 3 links
}
