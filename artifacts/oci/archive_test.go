package oci_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// saved returns what docker save writes.
func saved(t *testing.T, images map[string]v1.Image) *bytes.Reader {
	t.Helper()
	all := map[name.Tag]v1.Image{}
	for tag, im := range images {
		parsed, err := name.NewTag(tag)
		require.NoError(t, err)
		all[parsed] = im
	}
	var buf bytes.Buffer
	require.NoError(t, tarball.MultiWrite(all, &buf))
	return bytes.NewReader(buf.Bytes())
}

func TestArchiveOfDockerSave(t *testing.T) {
	t.Parallel()

	amd64 := oci.WithPlatform("linux/amd64")
	im := sample(t, "linux/amd64")
	one := saved(t, map[string]v1.Image{"a/b:1": im})
	got, err := oci.Archive(one, one.Size(), amd64)
	require.NoError(t, err)
	id, err := im.ConfigName()
	require.NoError(t, err)
	assert.Equal(t, id.String(), string(got.Digest()), "the image ID")
	assert.Equal(t, "linux/amd64", got.Platform())
	require.Len(t, got.Layers(), 3)
	assert.Positive(t, got.Layers()[0].Info().Size)
	store := openStore(t)
	tree, err := oci.Rootfs(t.Context(), store, got)
	require.NoError(t, err)
	defer tree.Close()
	assert.Equal(t, "linux/amd64", text(t, tree, "arch"))

	other := imageOf(t, "linux/amd64", layerOf(t, layerTar(t, "arch", "other")))
	two := saved(t, map[string]v1.Image{"a/b:1": im, "c/d:2": other})
	_, err = oci.Archive(two, two.Size(), amd64)
	require.ErrorContains(t, err, "several images, say which with WithImage")
	_, err = oci.Archive(two, two.Size(), amd64, oci.WithImage("x"))
	require.ErrorContains(t, err, `no image is called "x"`)
	got, err = oci.Archive(two, two.Size(), amd64, oci.WithImage("c/d:2"))
	require.NoError(t, err)
	assert.Len(t, got.Layers(), 1)
}

func TestArchiveOfFileTree(t *testing.T) {
	t.Parallel()

	plain := layerTar(t, "etc/", "", "etc/os-release", "ID=test\n")
	im, err := oci.Archive(bytes.NewReader(plain), int64(len(plain)))
	require.NoError(t, err)
	assert.Empty(t, im.Layers())
	assert.Empty(t, im.Platform()+string(im.Digest()))
	tree, err := oci.Rootfs(t.Context(), nil, im)
	require.NoError(t, err)
	assert.Equal(t, "ID=test\n", text(t, tree, "etc/os-release"))
}

func TestArchiveRefuses(t *testing.T) {
	t.Parallel()

	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(layerTar(t, "x", "y"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	tests := map[string]string{
		zipped.String():                      "compressed by gzip, want a plain tar",
		"\x28\xb5\x2f\xfd....":               "compressed by zstd",
		"\xfd7zXZ\x00..":                     "compressed by xz",
		"BZh91AY":                            "compressed by bzip2",
		"":                                   "empty",
		string(layerTar(t)):                  "empty",
		strings.Repeat("no tar at all", 100): "tar",
		string(layerTar(t, "manifest.json", "{}")):                                          "manifest.json",
		string(layerTar(t, "manifest.json", "[]")):                                          "there is no image",
		string(layerTar(t, "manifest.json", `[{"Config":"../../etc/passwd","Layers":[]}]`)): "../../etc/passwd",
		string(layerTar(t, "manifest.json", `[{"Config":"c","Layers":["x"]}]`, "c", "{}")):  "configuration has 0 layers, manifest 1",
	}
	for archive, want := range tests {
		_, err := oci.Archive(strings.NewReader(archive), int64(len(archive)))
		require.ErrorContains(t, err, want, "%.30q", archive)
	}
}

func TestLayoutRefuses(t *testing.T) {
	t.Parallel()

	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	entry := func(name string) string {
		return `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"digest":"` + someDigest +
			`","annotations":{"org.opencontainers.image.ref.name":"` + name + `"}}`
	}
	good := `{"imageLayoutVersion":"1.0.0"}`
	tests := []struct{ layout, index, want string }{
		{"", "", "oci-layout"},
		{`{"imageLayoutVersion":"2.0.0"}`, "", `layout of version "2.0.0", want 1.0.0`},
		{good, "{", "index.json"},
		{good, `{"manifests":[]}`, "there is no image"},
		{good, `{"manifests":[` + entry("a") + `,` + entry("b") + `]}`, `several images, say which with WithImage: ["a" "b"]`},
		{good, `{"manifests":[` + entry("a") + `]}`, "blobs/sha256/e3b0"},
	}
	for _, test := range tests {
		_, err := oci.Layout(fstest.MapFS{"oci-layout": file(test.layout), "index.json": file(test.index)})
		require.ErrorContains(t, err, test.want, "%+v", test)
	}
	_, err := oci.Layout(fstest.MapFS{
		"oci-layout": file(good), "index.json": file(`{"manifests":[` + entry("a") + `]}`),
		"blobs/sha256/" + strings.TrimPrefix(someDigest, "sha256:"): file("{}"),
	})
	wrong := &artifacts.DigestError{}
	require.ErrorAs(t, err, &wrong, "content is compared with its digest")
}

func TestOpenFolder(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o600))
	tree, err := rootfs(t, nil, "dir:"+dir)
	require.NoError(t, err)
	assert.Equal(t, "content", text(t, tree, "file"))

	_, err = rootfs(t, nil, "dir:"+dir+"/none")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = rootfs(t, nil, "ocifile:"+dir)
	require.ErrorContains(t, err, "want a file")
	_, err = rootfs(t, nil, "dir:"+dir+"/file")
	require.Error(t, err)
}

// dockerd answers as the Docker Engine API does, for one image.
func dockerd(t *testing.T, ref string, im v1.Image) (host string, exports *int) {
	t.Helper()
	config, err := im.ConfigFile()
	require.NoError(t, err)
	id, err := im.ConfigName()
	require.NoError(t, err)
	exports = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/images/" + ref + "/json":
			assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{
				"Id": id.String(), "Os": config.OS, "Architecture": config.Architecture, "RootFS": map[string]any{"Layers": config.RootFS.DiffIDs},
			}))
		case "/images/" + id.String() + "/get":
			*exports++
			_, err := saved(t, map[string]v1.Image{ref: im}).WriteTo(w)
			assert.NoError(t, err)
		default:
			http.Error(w, `{"message":"No such image"}`, http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http:", "tcp:", 1), exports
}

func TestDaemonExportsOnce(t *testing.T) {
	t.Parallel()

	host, exports := dockerd(t, "a/b:latest", sample(t, "linux/amd64"))
	opts := []oci.Option{oci.WithDaemonHost(host), oci.WithPlatform("linux/amd64")}
	store := openStore(t)
	for range 2 {
		tree, err := rootfs(t, store, "docker:docker.io/a/b", opts...)
		require.NoError(t, err)
		assert.Equal(t, "linux/amd64", text(t, tree, "arch"))
	}
	assert.Equal(t, 1, *exports)

	var calls [][2]int64
	progress := oci.WithProgress(func(name string, done, total int64) {
		if name == "docker:docker.io/a/b:latest" {
			calls = append(calls, [2]int64{done, total})
		}
	})
	_, err := rootfs(t, openStore(t), "docker:docker.io/a/b", append(opts, progress)...)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(calls), 2)
	assert.Equal(t, [2]int64{0, -1}, calls[0], "nobody knows how much it will be")
	last := calls[len(calls)-1]
	assert.Greater(t, last[0], int64(6000))
	assert.Equal(t, last[0], last[1])
}

func TestOpenAsksRegistryAfterDaemon(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a/b:latest", sample(t, "linux/amd64"))
	amd64 := []oci.Option{oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64")}
	other, _ := dockerd(t, ref, sample(t, "linux/arm64"))
	none, _ := dockerd(t, "c/d:latest", sample(t, "linux/amd64"))
	for why, host := range map[string]string{
		"no daemon": "unix://" + t.TempDir() + "/none", "nobody listens": "tcp://" + freePort(t), "no such image": none, "another platform": other,
	} {
		tree, err := rootfs(t, openStore(t), "docker://"+ref, append(amd64, oci.WithDaemonHost(host))...)
		require.NoError(t, err, why)
		assert.Equal(t, "linux/amd64", text(t, tree, "arch"))
	}
	_, err := oci.Open(t.Context(), openStore(t), "docker://"+reg.host()+"/none", append(amd64, oci.WithDaemonHost(none))...)
	require.ErrorContains(t, err, "No such image", "as the daemon says it")
	require.ErrorContains(t, err, "manifest", "both are told")

	_, err = oci.Daemon(t.Context(), openStore(t), "dir:x")
	require.ErrorContains(t, err, "want the name of an image")
}

func FuzzLayout(f *testing.F) {
	digest := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	f.Add(`{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"`+digest("1")+`"}]}`,
		`{"schemaVersion":2,"layers":[{"digest":"`+digest("3")+`"}],"config":{"digest":"`+digest("2")+`"}}`, `{"rootfs":{"diff_ids":["`+digest("3")+`"]}}`)
	f.Add(`{"manifests":[{"digest":"`+digest("1")+`","platform":{"os":"linux"}}]}`, `{"schemaVersion":2,"manifests":[]}`, `{}`)
	f.Fuzz(func(t *testing.T, index, manifest, config string) {
		// Blobs stand under their right digests, whatever the text says.
		manifest = strings.ReplaceAll(manifest, digest("2"), digest(config))
		index = strings.ReplaceAll(index, digest("1"), digest(manifest))
		fsys := fstest.MapFS{
			"oci-layout": {Data: []byte(`{"imageLayoutVersion":"1.0.0"}`)}, "index.json": {Data: []byte(index)},
			"blobs/sha256/" + digest(manifest)[7:]: {Data: []byte(manifest)},
			"blobs/sha256/" + digest(config)[7:]:   {Data: []byte(config)},
		}
		im, err := oci.Layout(fsys, oci.WithPlatform("linux/amd64"))
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(im.Layers()), 1024)
		for _, l := range im.Layers() {
			if rc, err := l.Open(t.Context()); err == nil {
				_, err = io.Copy(io.Discard, rc)
				require.Error(t, err, "nothing here has a layer's digest")
				rc.Close()
			}
		}
	})
}
