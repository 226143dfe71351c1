//go:build linux

package oci_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestFlattenMatchesUmoci compares the tree of an image, file by file and
// attribute by attribute, with what umoci unpacked of it as root.
func TestFlattenMatchesUmoci(t *testing.T) {
	t.Parallel()
	oracle.Root(t)
	umoci := oracle.Need(t, "umoci")
	skopeo := oracle.Need(t, "skopeo")

	for name, build := range map[string]func(t *testing.T, folder string){
		"of go-containerregistry": func(t *testing.T, folder string) {
			t.Helper()
			writeLayout(t, folder, oddLayers(t)...)
		},
		"converted by skopeo": func(t *testing.T, folder string) {
			t.Helper()
			from := filepath.Join(t.TempDir(), "layout")
			writeLayout(t, from, oddLayers(t)...)
			archive := filepath.Join(t.TempDir(), "docker.tar")
			run(t, skopeo, "--insecure-policy", "copy", "oci:"+from+":test", "docker-archive:"+archive+":test:test")
			run(t, skopeo, "--insecure-policy", "copy", "docker-archive:"+archive, "oci:"+folder+":test")
		},
		"changed by umoci": changedByUmoci,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			folder, bundle := filepath.Join(t.TempDir(), "layout"), filepath.Join(t.TempDir(), "bundle")
			build(t, folder)
			run(t, umoci, "unpack", "--image", folder+":test", bundle)
			want := diskFacts(t, filepath.Join(bundle, "rootfs"))
			got := treeFacts(t, flatTree(t, layoutLayers(t, folder)))
			assert.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
			for _, name := range slices.Sorted(maps.Keys(want)) {
				have := got[name]
				if want[name].Type == tar.TypeDir && want[name].ModTime == "" {
					have.ModTime = "" // umoci made or removed something there just now.
				}
				assert.Equal(t, want[name], have, name)
			}

			root, err := os.OpenRoot(filepath.Join(bundle, "rootfs"))
			require.NoError(t, err)
			tree, err := artifacts.OpenDir(t.Context(), root)
			require.NoError(t, err)
			defer tree.Close()
			assert.Equal(t, want, treeFacts(t, tree), "the directory on disk, opened as a tree")
		})
	}
}

// facts is what can be said of a file.
type facts struct {
	Type       byte
	Mode       int64
	UID, GID   int
	Size       int64
	ModTime    string
	Dev        [2]int64
	Link       string
	Attributes map[string]string
	Content    string
}

func treeFacts(t *testing.T, tree *artifacts.Tree) map[string]facts {
	t.Helper()
	all := map[string]facts{}
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		h := info.Sys().(*tar.Header)
		f := facts{
			Type: h.Typeflag, Mode: h.Mode, UID: h.Uid, GID: h.Gid, Dev: [2]int64{h.Devmajor, h.Devminor},
			Link: h.Linkname, Attributes: map[string]string{}, ModTime: stamp(h.ModTime),
		}
		for key, value := range h.PAXRecords {
			f.Attributes[strings.TrimPrefix(key, "SCHILY.xattr.")] = value
		}
		if info.Mode().IsRegular() {
			data, err := fs.ReadFile(tree, name)
			require.NoError(t, err)
			f.Size, f.Content = info.Size(), fmt.Sprintf("%x", sha256.Sum256(data))
		}
		all[name] = f
		return nil
	}))
	return all
}

// stamp leaves out times that a tool made up: of now, or of 1970.
func stamp(t time.Time) string {
	if t.Unix() == 0 || time.Since(t) < time.Hour {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
}

// flatTree flattens the layers and opens the result.
func flatTree(t *testing.T, layers []oci.Layer) *artifacts.Tree {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, oci.Flatten(t.Context(), &out, layers, oci.WithTempDir(t.TempDir())))
	tree, err := artifacts.OpenTar(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	return tree
}

// writeLayout makes an OCI layout with the image "test" of the layers.
func writeLayout(t *testing.T, folder string, tars ...[]byte) {
	t.Helper()
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, data := range tars {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		}, tarball.WithMediaType(types.OCILayer))
		require.NoError(t, err)
		image, err = mutate.AppendLayers(image, layer)
		require.NoError(t, err)
	}
	image, err := mutate.ConfigFile(image, withPlatform(t, image))
	require.NoError(t, err)
	l, err := layout.Write(folder, empty.Index)
	require.NoError(t, err)
	require.NoError(t, l.AppendImage(image, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": "test",
	})))
}

func withPlatform(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	return config
}

// layoutLayers returns the layers of the image in a layout.
func layoutLayers(t *testing.T, folder string) []oci.Layer {
	t.Helper()
	index, err := layout.ImageIndexFromPath(folder)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	for _, m := range manifest.Manifests {
		if m.Annotations["org.opencontainers.image.ref.name"] != "test" {
			continue
		}
		image, err := index.Image(m.Digest)
		require.NoError(t, err)
		layers, err := image.Layers()
		require.NoError(t, err)
		var list []oci.Layer
		for _, layer := range layers {
			list = append(list, testLayer{layer})
		}
		return list
	}
	require.Fail(t, "no image")
	return nil
}

// testLayer reads a layer with go-containerregistry.
type testLayer struct{ v1.Layer }

func (l testLayer) Info() artifacts.Info { return artifacts.Info{Size: -1} }

func (l testLayer) Open(context.Context) (io.ReadCloser, error) { return l.Uncompressed() }

// changedByUmoci makes an image as people do: unpack, change, repack, again.
func changedByUmoci(t *testing.T, folder string) {
	t.Helper()
	umoci, image := oracle.Need(t, "umoci"), folder+":test"
	writeLayout(t, folder, oddLayers(t)[0])
	for i, change := range []string{
		"rm etc/passwd && echo two > etc/two && ln etc/two etc/three && mkdir -p new/dir && chmod 1777 new",
		"rm -r new && ln -s etc new && mv etc/two etc/four && rm dev && mknod -m 640 dev c 1 5",
		"rm -r usr && mkdir usr && echo x > usr/x && chown 7:8 usr/x && touch -d @86400.5 usr/x && ln usr/x new/y",
		"rm dev && mkdir dev && mkfifo dev/pipe",
	} {
		bundle := filepath.Join(t.TempDir(), fmt.Sprint(i))
		run(t, umoci, "unpack", "--image", image, bundle)
		run(t, "sh", "-ec", "cd "+bundle+"/rootfs && "+change)
		if i == 3 {
			require.NoError(t, unix.Setxattr(bundle+"/rootfs/usr/x", "user.colour", []byte("blue"), 0))
		}
		run(t, umoci, "repack", "--image", image, bundle)
	}
}

// oddLayers is an image with what images seldom have.
func oddLayers(t *testing.T) [][]byte {
	t.Helper()
	when := time.Date(2020, 2, 2, 20, 20, 20, 0, time.UTC)
	head := func(kind byte, name string, mode int64) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Mode: mode, ModTime: when}
	}
	file := func(name, content string) odd {
		return odd{head(tar.TypeReg, name, 0o644), content}
	}
	dir := func(name string) odd { return odd{head(tar.TypeDir, name+"/", 0o755), ""} }
	link := func(kind byte, name, target string) odd {
		h := head(kind, name, 0o777)
		h.Linkname = target
		return odd{h, ""}
	}
	owned := head(tar.TypeReg, "usr/bin/su", 0o4755)
	owned.Uid, owned.Gid, owned.ModTime, owned.Format = 3000000, 5, when.Add(123456789), tar.FormatPAX
	owned.PAXRecords = map[string]string{
		"SCHILY.xattr.user.colour":         "red\x00=\n",
		"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	}
	device := head(tar.TypeChar, "dev", 0o666)
	device.Devmajor, device.Devminor = 1, 3
	block := head(tar.TypeBlock, "block", 0o660)
	block.Devmajor, block.Devminor, block.Gid = 259, 70000, 6
	sticky := head(tar.TypeDir, "tmp/", 0o1777)
	long := strings.Repeat("long/", 60)
	gnu := head(tar.TypeReg, long+"name", 0o600)
	gnu.Format = tar.FormatGNU
	return [][]byte{
		oddTar(t, dir("."), dir("etc"), file("etc/passwd", "root"), file("etc/group", "wheel"),
			dir("usr"), dir("usr/bin"), odd{owned, "binary"}, link(tar.TypeLink, "usr/bin/sudo", "usr/bin/su"),
			link(tar.TypeLink, "usr/bin/sg", "usr/bin/su"), link(tar.TypeSymlink, "bin", "usr/bin"),
			link(tar.TypeSymlink, "lib", "/usr/lib"), link(tar.TypeSymlink, "away", "../../../../etc"),
			odd{device, ""}, odd{block, ""}, odd{head(tar.TypeFifo, "pipe", 0o600), ""}, odd{sticky, ""},
			dir("opaque"), file("opaque/one", "1"), dir("opaque/deep"), file("opaque/deep/two", "2"),
			dir("gone"), file("gone/a", "a"), dir("swap"), file("swap/a", "a"), file("flip", "file"), odd{gnu, "long"}),
		oddTar(t, file("etc/.wh.passwd", ""), file("bin/new", "through a link"), file("lib/made", "through nowhere"),
			file("away/hosts", "contained"), file("/absolute", "a"), file("../../up", "b"), file("usr/bin/.wh.su", ""),
			dir("opaque"), file("opaque/three", "3"), file("opaque/deep/four", "4"), file("opaque/.wh..wh..opq", ""),
			file(".wh.gone", ""), file("swap", "now a file"), dir("flip"), file("flip/x", "x"), dir("etc"),
			link(tar.TypeLink, "etc/lower", "etc/group"), link(tar.TypeLink, "bin/lower", "/bin/sudo")),
		oddTar(t, dir("gone"), file("gone/b", "b"), file(".wh.gone", ""), dir("swap"), file("swap/b", "b"),
			link(tar.TypeSymlink, "flip", "swap"), file("flip/c", "c"), file("away/.wh.group", ""), file("nothing/.wh.here", ""),
			file(".wh."+strings.TrimSuffix(long[:4], "/"), ""), file("long/short", "s")),
	}
}

// odd is one entry of an archive.
type odd struct {
	tar.Header

	content string
}

func oddTar(t *testing.T, entries ...odd) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		e.Size = int64(len(e.content))
		require.NoError(t, w.WriteHeader(&e.Header), e.Name)
		_, err := io.WriteString(w, e.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// TestFlattenIsReadByOthers has GNU tar and bsdtar unpack the output.
func TestFlattenIsReadByOthers(t *testing.T) {
	t.Parallel()
	oracle.Root(t)

	var out bytes.Buffer
	var layers []oci.Layer
	for _, data := range oddLayers(t) {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		})
		require.NoError(t, err)
		layers = append(layers, testLayer{layer})
	}
	require.NoError(t, oci.Flatten(t.Context(), &out, layers, oci.WithTempDir(t.TempDir())))
	want := treeFacts(t, flatTree(t, layers))
	for name, args := range map[string][]string{
		"tar":    {"--extract", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--preserve-permissions"},
		"bsdtar": {"-x", "-p", "--numeric-owner", "--xattrs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, folder := oracle.Need(t, name), t.TempDir()

			file := filepath.Join(t.TempDir(), "flat.tar")
			require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
			run(t, program, append(args, "-f", file, "-C", folder)...)
			got := diskFacts(t, folder)
			root := got["."]
			root.ModTime = want["."].ModTime // bsdtar leaves that of a folder which was there.
			got["."] = root
			for _, name := range slices.Sorted(maps.Keys(want)) {
				assert.Equal(t, want[name], got[name], name)
			}
			assert.Len(t, got, len(want))
		})
	}
}
