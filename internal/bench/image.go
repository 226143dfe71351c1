//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The image that is pulled and flattened.
const (
	imageLayers    = 8
	imageTag       = "v1"
	imageMemory    = 150 // MiB that ours may have resident
	registryPort   = 5000
	registryConfig = `version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: %s}
http:
  addr: %s
`
)

// compareImage compares how long it takes to make a root file system of an
// image in a registry, from nothing.
func compareImage(ctx context.Context, l *lab) (*report, error) {
	pushed := false
	registry, err := l.imageRegistry()
	if err != nil {
		return nil, err
	}
	ref := fmt.Sprintf("%s:%d/image:%s", serverAddr, registryPort, imageTag)
	ready := func(ctx context.Context) error {
		if _, err := l.fetch(ctx, fmt.Sprintf("http://%s:%d/v2/", serverAddr, registryPort)); err != nil || pushed {
			return err
		}
		pushed = true
		return l.pushImage(ctx, ref)
	}
	ours, theirs := new(task), new(task)
	contend := func(name string, t *task, steps func(dir string) [][]string) contender {
		return contender{name: name, start: registry, ready: ready, score: func(ctx context.Context, _ *program) error {
			return t.measure(ctx, l, l.client.Command, steps, "")
		}}
	}
	err = l.compete(ctx,
		contend("rootfs", ours, func(dir string) [][]string {
			return [][]string{{l.rootfs, "-insecure", "-platform", "linux/amd64", "-store", dir, ref}}
		}),
		contend("skopeo and umoci", theirs, func(dir string) [][]string {
			return [][]string{
				{"skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "docker://" + ref, "oci:" + dir + "/image:" + imageTag},
				{"umoci", "unpack", "--image", dir + "/image:" + imageTag, dir + "/bundle"},
			}
		}))
	if err != nil {
		return nil, err
	}
	return &report{rows: []row{
		{
			measure: fmt.Sprintf("pull and flatten, seconds, %d MiB in %d layers", l.mebibytes, imageLayers), peer: "skopeo and umoci",
			ours: ours.seconds, theirs: theirs.seconds, lower: true, target: 1,
		},
		{measure: "resident memory in MiB, pull and flatten", ours: ours.memory, limit: imageMemory},
	}}, nil
}

// imageRegistry returns how to start docker-registry.
func (l *lab) imageRegistry() (func(context.Context) (*program, error), error) {
	config := filepath.Join(l.dir, "registry.yml")
	text := fmt.Sprintf(registryConfig, filepath.Join(l.dir, "registry"), fmt.Sprintf("%s:%d", serverAddr, registryPort))
	start := func(ctx context.Context) (*program, error) { return l.start(ctx, "docker-registry", "serve", config) }
	return start, os.WriteFile(config, []byte(text), 0o600)
}

// pushImage makes the image, in a process of its own, and pushes it: the most
// memory that a program had counts what its parent has at its start.
func (l *lab) pushImage(ctx context.Context, ref string) error {
	dir := filepath.Join(l.dir, "image")
	if err := command(ctx, l.client, fmt.Sprintf("%s image %s %d", l.self, dir, l.mebibytes)); err != nil {
		return err
	}
	err := command(ctx, l.client, "skopeo copy --insecure-policy --dest-tls-verify=false oci:"+dir+":"+imageTag+" docker://"+ref)
	return errors.Join(err, os.RemoveAll(dir))
}

// makeImage writes an image of that many MiB to an OCI layout in dir.
func makeImage(dir, mebibytes string) error {
	size, err := strconv.Atoi(mebibytes)
	if err != nil {
		return err
	}
	im := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	config, err := im.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	if im, err = mutate.ConfigFile(im, config); err != nil {
		return err
	}
	for i := range imageLayers {
		text, err := layerTar(i, size<<20/imageLayers)
		if err != nil {
			return err
		}
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(text)), nil
		}, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return err
		}
		if im, err = mutate.AppendLayers(im, l); err != nil {
			return err
		}
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendImage(im, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": imageTag}))
}

// layerTar returns a layer with files of size bytes, most of them small, that
// compress as programs and libraries do, to about two fifths.
func layerTar(number, size int) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	r := rand.New(rand.NewPCG(uint64(number), 1)) //nolint:gosec // The same image each time.
	noise := rand.NewChaCha8([32]byte{byte(number)})
	for i, left := 0, size; left > 0; i++ {
		n := min(left, 1000+r.IntN(60_000)+(i%50/49)<<20)
		left -= n
		data := []byte(strings.Repeat("the same words again and again, ", n/32+1)[:n])
		for k := 0; k+32 <= n; k += 96 {
			_, _ = noise.Read(data[k : k+32]) // Never fails.
		}
		h := &tar.Header{Name: fmt.Sprintf("folder%d/%d/file%d", number, i/100, i), Mode: 0o644, Size: int64(n)}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), w.Close()
}
