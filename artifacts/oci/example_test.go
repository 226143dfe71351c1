package oci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// newImage returns an image for linux/arm64 of one layer.
func newImage(layer archive) (v1.Image, error) {
	im, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "arm64"})
	if err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return layer.Open(context.Background()) })
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(im, l)
}

// A registry with an image, for the examples. Its name is the server's
// address, so they do not print it.
func exampleRegistry() (ref string, closer func(), err error) {
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	ref = server.Listener.Addr().String() + "/kairos/demo:v1"
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return "", server.Close, err
	}
	im, err := newImage(newArchive("boot/initrd", "boot/vmlinuz"))
	if err != nil {
		return "", server.Close, err
	}
	return ref, server.Close, remote.Write(parsed, im)
}

func Example() {
	ctx := context.Background()
	ref, stop, err := exampleRegistry()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := artifacts.OpenStore(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	image, err := oci.Open(ctx, store, ref, oci.WithPlatform("linux/arm64"), oci.WithPlainHTTP())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer image.Close()
	tree, err := oci.Rootfs(ctx, store, image)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tree.Close()

	entries, err := fs.ReadDir(tree, "boot")
	fmt.Println(image.Platform(), entries, err)
	// Output:
	// linux/arm64 [- initrd - vmlinuz] <nil>
}

func ExampleParse() {
	for _, s := range []string{"docker://ubuntu:24.04", "192.168.1.1:5000/foo", "dir:///srv/rootfs", "https://quay.io/a"} {
		ref, err := oci.Parse(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(ref)
	}
	// Output:
	// docker:docker.io/library/ubuntu:24.04
	// 192.168.1.1:5000/foo:latest
	// dir:/srv/rootfs
	// oci: reference "https://quay.io/a": https:// is no kind of image; want oci:, docker:, dir:, file:, ocifile: or none
}

func ExampleRegistry() {
	ctx := context.Background()
	ref, stop, err := exampleRegistry()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := artifacts.OpenStore(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	_, err = oci.Registry(ctx, store, ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/riscv64"))
	if refused, ok := errors.AsType[*oci.PlatformError](err); ok {
		fmt.Println(refused)
	}
	// Output:
	// no image for linux/riscv64, there is linux/arm64 (see WithPlatform)
}

func ExampleArchive() {
	im, err := newImage(newArchive("etc/hostname"))
	if err != nil {
		fmt.Println(err)
		return
	}
	tag, err := name.NewTag("demo:v1")
	if err != nil {
		fmt.Println(err)
		return
	}
	var saved bytes.Buffer
	if err := tarball.Write(tag, im, &saved); err != nil {
		fmt.Println(err)
		return
	}

	image, err := oci.Archive(bytes.NewReader(saved.Bytes()), int64(saved.Len()), oci.WithPlatform("linux/arm64"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer image.Close()
	fmt.Println(image.Platform(), len(image.Layers()), "layer")
	// Output:
	// linux/arm64 1 layer
}
