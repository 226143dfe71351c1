package vmtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// A Mount is an image of a file system that a guest mounts read-only and lists.
type Mount struct {
	Image   string // the file; or, if In is not nil, the path of a file in it
	Type    string // of the file system: iso9660, vfat, squashfs, ext4 or udf
	Options string // separated by commas
	Offset  int64  // where in the image it begins, in bytes; zero if In is not nil
	In      *Mount // the file system that the image lies in, or nil
}

// maxListed is how many bytes a guest may list.
const maxListed = 1 << 30

// Manifests lists file systems with the kernel of this computer, run by QEMU: that
// of the computer itself may lack them, and mounting needs root.
// An error names the first that could not be mounted. What the kernel says
// against an image that it mounts is in Log of the results.
func Manifests(ctx context.Context, mounts ...Mount) ([]manifest.Result, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	results, err := listIn(ctx, dir, mounts)
	return results, errors.Join(err, os.RemoveAll(dir))
}

// listIn lists file systems, with the files of the machine in dir.
func listIn(ctx context.Context, dir string, mounts []Mount) ([]manifest.Result, error) {
	spec := Spec{Firmware: BIOS, Cmdline: "console=ttyS0 quiet panic=-1", Initrd: filepath.Join(dir, "initrd")}
	jobs := make([]manifest.Mount, len(mounts))
	for i := range mounts {
		if err := spec.attach(&mounts[i], &jobs[i]); err != nil {
			return nil, err
		}
	}
	out := filepath.Join(dir, "results")
	if err := os.WriteFile(out, nil, 0o600); err != nil {
		return nil, fmt.Errorf("vmtest: manifest: %w", err)
	}
	if err := os.Truncate(out, maxListed); err != nil {
		return nil, fmt.Errorf("vmtest: manifest: %w", err)
	}
	spec.Drives = append(spec.Drives, Drive{Kind: Virtio, File: out, Keep: true, Serial: "results"})
	var err error
	if spec.Kernel, err = writeReader(ctx, spec.Initrd, dir, jobs); err != nil {
		return nil, err
	}
	return runReader(ctx, spec, out, mounts)
}

// attach adds the image to the machine, and says in job where it is then.
func (s *Spec) attach(m *Mount, job *manifest.Mount) error {
	job.Type, job.Options = m.Type, m.Options
	if m.In != nil {
		job.Device, job.In = m.Image, new(manifest.Mount)
		return s.attach(m.In, job.In)
	}
	const letters = "abcdefghijklmnopqrstuvwxyz"
	if len(s.Drives) == len(letters)-1 {
		return fmt.Errorf("vmtest: manifest: more than %d images", len(letters)-1)
	}
	job.Device = "/dev/vd" + letters[len(s.Drives):][:1]
	s.Drives = append(s.Drives, Drive{Kind: Virtio, File: m.Image, Offset: m.Offset, ReadOnly: true})
	return nil
}

// runReader runs the machine and reads its results.
func runReader(ctx context.Context, spec Spec, out string, mounts []Mount) ([]manifest.Result, error) {
	m, err := Boot(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer m.Kill()
	if err := m.Wait(ctx); err != nil {
		return nil, err
	}
	f, err := os.Open(out) //nolint:gosec // A file of ours.
	if err != nil {
		return nil, fmt.Errorf("vmtest: manifest: %w", err)
	}
	defer f.Close() //nolint:errcheck // It was only read.
	results, err := manifest.ReadResults(f)
	if err != nil {
		return nil, fmt.Errorf("vmtest: manifest: %w:\n%s", err, m.Console.Tail())
	}
	for i, r := range results {
		if r.Err != "" {
			return results, fmt.Errorf("vmtest: manifest: %s: %s: %s", mounts[i].Image, r.Err, r.Log)
		}
	}
	return results, nil
}

// writeReader writes the initramfs that lists file systems, and returns the
// file of its kernel.
func writeReader(ctx context.Context, initrd, dir string, jobs []manifest.Mount) (kernel string, err error) {
	kernel, modules, err := findKernel("/")
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(jobs)
	if err != nil {
		return "", fmt.Errorf("vmtest: manifest: %w", err)
	}
	program, err := buildProgram(ctx, dir, "internal/vmtest/manifest/guest", "amd64")
	if err != nil {
		return "", err
	}
	var c cpio
	for _, dir := range []string{"dev", "modules", "proc", "sys"} {
		c.folder(dir)
	}
	c.file("init", program)
	c.file("mounts", list)
	if err := addModules(ctx, &c, modules,
		"virtio_pci", "virtio_blk", "loop", "ext4", "squashfs", "isofs", "udf", "vfat",
		"nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8"); err != nil {
		return "", err
	}
	if err := os.WriteFile(initrd, c.bytes(), 0o600); err != nil {
		return "", fmt.Errorf("vmtest: manifest: %w", err)
	}
	return kernel, nil
}

// buildProgram compiles a program of this module, for Linux and without
// libraries, by way of a file in dir.
func buildProgram(ctx context.Context, dir, name, arch string) ([]byte, error) {
	out := filepath.Join(dir, "program")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "github.com/netbootkit/netbootkit/" + name}
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // A program of ours.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("vmtest: go build %s: %w: %s", name, err, text)
	}
	data, err := os.ReadFile(out) //nolint:gosec // A file of ours.
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	return data, nil
}
