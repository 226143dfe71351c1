package artifacts_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/artifacts"
)

func ExampleOpenTar() {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "usr/bin/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "usr/bin/su", Mode: 0o4755},
		{Typeflag: tar.TypeSymlink, Name: "bin", Linkname: "/usr/bin"},
		{Typeflag: tar.TypeChar, Name: "dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3},
	} {
		if err := w.WriteHeader(&h); err != nil {
			fmt.Println(err)
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}

	tree, err := artifacts.OpenTar(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Println(d.Type(), name)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	info, err := tree.Stat("bin/su") // Links are followed inside the tree.
	if err != nil {
		fmt.Println(err)
		return
	}
	h := info.Sys().(*tar.Header)
	fmt.Printf("%s is %s of %d:%d with mode %o\n", info.Name(), h.Name, h.Uid, h.Gid, h.Mode)
	// Output:
	// d--------- .
	// L--------- bin
	// d--------- dev
	// Dc--------- dev/null
	// d--------- usr
	// d--------- usr/bin
	// ---------- usr/bin/su
	// su is usr/bin/su of 0:0 with mode 4755
}

func ExampleOpenDir() {
	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "hostname"), []byte("node-1\n"), 0o600); err != nil {
		fmt.Println(err)
	}

	root, err := os.OpenRoot(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := artifacts.OpenDir(context.Background(), root)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tree.Close()
	data, err := fs.ReadFile(tree, "hostname")
	fmt.Printf("%s%v\n", data, err)
	// Output:
	// node-1
	// <nil>
}

func ExampleFindBoot() {
	root := fstest.MapFS{}
	for _, name := range []string{
		"boot/vmlinuz-6.9.12-amd64", "boot/initrd.img-6.9.12-amd64",
		"boot/vmlinuz-6.10.3-amd64", "boot/initrd.img-6.10.3-amd64",
	} {
		root[name] = &fstest.MapFile{Data: []byte(name)}
	}

	boot, err := artifacts.FindBoot(root)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(boot.Kernel)
	fmt.Println(boot.Initrd)
	fmt.Println(boot.Version)
	// Output:
	// boot/vmlinuz-6.10.3-amd64
	// boot/initrd.img-6.10.3-amd64
	// 6.10.3-amd64
}

func ExampleReadRelease() {
	root := fstest.MapFS{
		"etc/kairos-release": {Data: []byte(`KAIROS_FLAVOR="opensuse"
KAIROS_FLAVOR_RELEASE="tumbleweed"
KAIROS_VARIANT="core"
KAIROS_ARCH="amd64"
KAIROS_MODEL="generic"
KAIROS_VERSION="v3.0.4"
`)},
		"etc/os-release": {Data: []byte(`PRETTY_NAME="openSUSE Tumbleweed"`)},
	}

	release, err := artifacts.ReadRelease(root)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(release.Name)
	fmt.Println(release.Arch)
	fmt.Println(release.Title)
	// Output:
	// opensuse-tumbleweed-core-amd64-generic-v3.0.4
	// amd64
	// openSUSE Tumbleweed
}
