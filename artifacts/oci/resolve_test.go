package oci_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// indexOf returns an index with an image for each platform.
func indexOf(t *testing.T, platforms ...string) v1.ImageIndex {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, p := range platforms {
		index = add(t, index, p, sample(t, p))
	}
	return index
}

func add(t *testing.T, index v1.ImageIndex, platform string, what mutate.Appendable) v1.ImageIndex {
	t.Helper()
	d := v1.Descriptor{}
	if platform != "" {
		p, err := v1.ParsePlatform(platform)
		require.NoError(t, err)
		d.Platform = p
	}
	return mutate.AppendManifests(index, mutate.IndexAddendum{Add: what, Descriptor: d})
}

func TestOpenPicksPlatform(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	flat := indexOf(t, "linux/amd64", "windows/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64")
	flat = add(t, flat, "unknown/unknown", sample(t, "unknown/unknown")) // As BuildKit's attestations.
	reg.push(t, "flat:1", flat)
	nested := add(t, indexOf(t, "linux/amd64"), "", indexOf(t, "linux/arm64/v8", "linux/arm64/v9"))
	reg.push(t, "nested:1", nested)
	bare := add(t, add(t, empty.Index, "", sample(t, "linux/arm64")), "", sample(t, "linux/amd64"))
	reg.push(t, "bare:1", bare)
	reg.push(t, "single:1", sample(t, "linux/arm64"))
	reg.push(t, "anything:1", imageOf(t, "", layerOf(t, layerTar(t, "arch", "any"))))

	tests := []struct{ image, platform, want string }{ // What begins with "oci:" is an error.
		{"flat", "linux/amd64", "linux/amd64"},
		{"flat", "linux/x86_64", "linux/amd64"},
		{"flat", "linux/arm64", "linux/arm64"},
		{"flat", "linux/arm64/v8", "linux/arm64"},
		{"flat", "linux/arm", "linux/arm/v7"},
		{"flat", "linux/arm/v8", "linux/arm/v7"},
		{"flat", "linux/arm/v6", "linux/arm/v6"},
		{"flat", "windows/amd64", "windows/amd64"},
		{"flat", "linux/arm/v5", "oci: open HOST/flat:1: no image for linux/arm/v5, there is linux/amd64, windows/amd64, linux/arm/v6, linux/arm/v7, linux/arm64 (see WithPlatform)"},
		{"flat", "unknown/unknown", "oci: open HOST/flat:1: no image for unknown/unknown, there is linux/amd64, windows/amd64, linux/arm/v6, linux/arm/v7, linux/arm64 (see WithPlatform)"},
		{"nested", "linux/arm64", "linux/arm64/v8"},
		{"nested", "linux/arm64/v9", "linux/arm64/v9"},
		{"nested", "linux/amd64", "linux/amd64"},
		{"nested", "linux/riscv64", "oci: open HOST/nested:1: no image for linux/riscv64, there is linux/amd64, linux/arm64/v8, linux/arm64/v9 (see WithPlatform)"},
		{"bare", "linux/amd64", "linux/amd64"},
		{"bare", "linux/arm64", "linux/arm64"},
		{"single", "linux/arm64", "linux/arm64"},
		{"single", "linux/amd64", "oci: open HOST/single:1: no image for linux/amd64, there is linux/arm64 (see WithPlatform)"},
		{"anything", "linux/s390x", "any"},
	}
	store := openStore(t)
	for _, test := range tests {
		tree, err := rootfs(t, store, reg.host()+"/"+test.image+":1", oci.WithPlainHTTP(), oci.WithPlatform(test.platform))
		if strings.HasPrefix(test.want, "oci:") {
			refused := &oci.PlatformError{}
			require.ErrorAs(t, err, &refused, "%+v", test)
			assert.Equal(t, test.want, strings.ReplaceAll(err.Error(), reg.host(), "HOST"))
			continue
		}
		require.NoError(t, err, "%+v", test)
		assert.Equal(t, test.want, text(t, tree, "arch"), "%+v", test)
	}
}

// rawManifest makes the registry answer with the text for every tag.
func rawManifest(t *testing.T, text string) string {
	t.Helper()
	reg := newFakeRegistry(t, (*httptest.Server).Start)
	reg.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/manifests/") {
			return false
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		fmt.Fprint(w, text) // Without a digest: the client has to make its own.
		return true
	})
	return reg.host() + "/a/b"
}

func TestRegistryRefusesManifests(t *testing.T) {
	t.Parallel()

	digest := `"sha256:` + strings.Repeat("0", 64) + `"`
	big, err := json.Marshal(strings.Repeat("x", 5<<20))
	require.NoError(t, err)
	tests := map[string]string{
		`{"schemaVersion":1,"fsLayers":[],"history":[]}`:                                              "schema 1",
		`{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}`: "schema 1",
		`{}`:     "schema version 0, want 2",
		`[]`:     "cannot unmarshal",
		`<html>`: "invalid character",
		`{"schemaVersion":2,"x":` + string(big) + `}`:                                                                               "more than 4194304",
		`{"schemaVersion":2,"manifests":[],"layers":[]}`:                                                                            "an image and an index at once",
		`{"schemaVersion":2,"manifests":[]}`:                                                                                        "there is none at all",
		`{"schemaVersion":2,"layers":[]}`:                                                                                           "want sha256:",
		`{"schemaVersion":2,"layers":[],"config":{"digest":"md5:1"}}`:                                                               "md5",
		`{"schemaVersion":2,"layers":[],"config":{"digest":` + digest + `,"size":99999999}}`:                                        "99999999 bytes, more than 16777216",
		`{"schemaVersion":2,"layers":[],"config":{"digest":` + digest + `,"size":5}}`:                                               "404",
		`{"schemaVersion":2,"layers":[],"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":` + digest + `}}`: "no container image: its configuration is application/vnd.cncf.helm",
	}
	for manifest, want := range tests {
		_, err := oci.Registry(t.Context(), openStore(t), rawManifest(t, manifest), oci.WithPlainHTTP())
		require.ErrorContains(t, err, want, "%.100s", manifest)
	}
}

func TestRegistryRefusesLayers(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	good := sample(t, "linux/amd64")
	amd64 := []oci.Option{oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64")}
	config, err := good.ConfigFile()
	require.NoError(t, err)

	lying := config.DeepCopy()
	lying.RootFS.DiffIDs[1] = lying.RootFS.DiffIDs[0]
	bad, err := mutate.ConfigFile(good, lying)
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), reg.push(t, "lying:1", bad), amd64...)
	require.ErrorContains(t, err, "uncompressed layer: digest is")

	short := config.DeepCopy()
	short.RootFS.DiffIDs = short.RootFS.DiffIDs[:2]
	bad, err = mutate.ConfigFile(good, short)
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), reg.push(t, "short:1", bad), amd64...)
	require.ErrorContains(t, err, "configuration has 2 layers, manifest 3")

	locked, err := mutate.Append(good, mutate.Addendum{
		Layer: layerOf(t, layerTar(t, "x", "y")), MediaType: types.MediaType("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
	})
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), reg.push(t, "locked:1", locked), amd64...)
	require.ErrorContains(t, err, "layer 4 of 4 is application/vnd.oci.image.layer.v1.tar+gzip+encrypted")

	bomb := imageOf(t, "linux/amd64", layerOf(t, layerTar(t, "zeros", strings.Repeat("\x00", 8<<20))))
	_, err = rootfs(t, openStore(t), reg.push(t, "bomb:1", bomb), append(amd64, oci.WithMaxSize(4<<20))...)
	require.ErrorContains(t, err, "4194304")
	_, err = rootfs(t, openStore(t), reg.host()+"/bomb:1", amd64...)
	require.NoError(t, err)

	_, err = oci.Registry(t.Context(), openStore(t), reg.host()+"/none:1", amd64...)
	require.ErrorContains(t, err, "404")
}
