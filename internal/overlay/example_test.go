package overlay_test

import (
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/internal/overlay"
)

func Example() {
	root := fstest.MapFS{
		"bin":         {Data: []byte("usr/bin"), Mode: fs.ModeSymlink | 0o777},
		"usr/bin/old": {Data: []byte("old")},
	}
	b := overlay.New()
	for _, tree := range []fs.FS{root, fstest.MapFS{"bin/new": {Data: []byte("new")}}} {
		if err := b.AddTree(tree); err != nil {
			panic(err)
		}
	}
	err := fs.WalkDir(b.Tree(), ".", func(name string, _ fs.DirEntry, err error) error {
		fmt.Println(name)
		return err
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// .
	// bin
	// usr
	// usr/bin
	// usr/bin/new
	// usr/bin/old
}
