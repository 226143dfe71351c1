package vmtest

import (
	"bytes"
	"context"
	"debug/elf"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

//go:embed init.sh
var initScript []byte

//go:embed lease.sh
var leaseScript []byte

// A Guest is a system that reports how it was booted. One guest may be booted
// by many machines.
type Guest struct {
	Kernel string // the file of its kernel
	Initrd []byte // its initramfs
}

// What a guest, or its kernel, prints last.
const (
	bootedLine = `(?m)^GUEST-BOOTED$`
	failedLine = `(?m)^(GUEST-FAILED.*|.*Kernel panic.*)$`
)

// NewGuest makes a guest of the kernel that this computer has in /boot, one of
// its modules for QEMU's network card, and busybox.
func NewGuest(ctx context.Context) (*Guest, error) {
	kernel, modules, err := findKernel("/")
	if err != nil {
		return nil, err
	}
	busybox, err := findBusybox()
	if err != nil {
		return nil, err
	}
	var c cpio
	for _, dir := range []string{"bin", "dev", "modules", "proc", "sys"} {
		c.folder(dir)
	}
	c.file("bin/busybox", busybox)
	for name := range strings.FieldsSeq("sh mount dmesg base64 insmod ip udhcpc wget poweroff sleep cat") {
		c.link("bin/"+name, "busybox")
	}
	c.file("init", initScript)
	c.file("lease.sh", leaseScript)
	if err := addModules(ctx, &c, modules, "virtio_pci", "virtio_net", "af_packet"); err != nil {
		return nil, err
	}
	return &Guest{Kernel: kernel, Initrd: c.bytes()}, nil
}

// Write writes the guest to the files kernel and initrd of a folder.
func (g *Guest) Write(dir string) error {
	kernel, err := os.ReadFile(g.Kernel)
	if err != nil {
		return fmt.Errorf("vmtest: guest: %w", err)
	}
	for name, data := range map[string][]byte{"kernel": kernel, "initrd": g.Initrd} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil { //nolint:gosec // For servers that run as other users.
			return fmt.Errorf("vmtest: guest: %w", err)
		}
	}
	return nil
}

// findBusybox returns the program, which must need no library: the guest has
// none.
func findBusybox() ([]byte, error) {
	file, err := exec.LookPath("busybox")
	if err != nil {
		return nil, fmt.Errorf("vmtest: guest: %w", err)
	}
	data, err := os.ReadFile(file) //nolint:gosec // Found in PATH.
	if err != nil {
		return nil, fmt.Errorf("vmtest: guest: %w", err)
	}
	program, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("vmtest: guest: %s: %w", file, err)
	}
	if libs, _ := program.ImportedLibraries(); len(libs) > 0 {
		return nil, fmt.Errorf("vmtest: guest: %s needs libraries: install busybox-static", file)
	}
	return data, nil
}

// findKernel returns a kernel below root whose modules are there, too, and the
// folder of these. Kernels made for virtual machines come first: they are
// small.
func findKernel(root string) (kernel, modules string, err error) {
	kernels, err := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if err != nil {
		return "", "", err
	}
	slices.SortFunc(kernels, func(a, b string) int {
		if cloudA, cloudB := strings.Contains(a, "cloud"), strings.Contains(b, "cloud"); cloudA != cloudB {
			return map[bool]int{true: -1, false: 1}[cloudA]
		}
		return strings.Compare(b, a)
	})
	for _, kernel := range kernels {
		release := strings.TrimPrefix(filepath.Base(kernel), "vmlinuz-")
		modules := filepath.Join(root, "lib", "modules", release)
		if _, err := os.Stat(filepath.Join(modules, "modules.dep")); err == nil {
			return kernel, modules, nil
		}
	}
	return "", "", errors.New("vmtest: guest: no kernel with modules in /boot: install linux-image-cloud-amd64")
}

// addModules adds the named modules, and those that they need, and the order
// in which they have to be loaded. Those built into the kernel need nothing.
func addModules(ctx context.Context, c *cpio, dir string, names ...string) error {
	deps, err := os.ReadFile(filepath.Join(dir, "modules.dep")) //nolint:gosec // A folder of /lib/modules.
	if err != nil {
		return fmt.Errorf("vmtest: guest: %w", err)
	}
	var order strings.Builder
	for _, file := range loadOrder(string(deps), names) {
		data, err := readModule(ctx, filepath.Join(dir, file))
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(path.Base(file), ".ko")
		c.file("modules/"+name+".ko", data)
		fmt.Fprintf(&order, "%s.ko\n", name)
	}
	c.file("modules/order", []byte(order.String()))
	return nil
}

// loadOrder returns the files of the named modules, each after those that it
// needs. A line of modules.dep is "file: needed…", what is needed first being
// last.
func loadOrder(deps string, names []string) []string {
	var order []string
	for _, name := range names {
		for line := range strings.Lines(deps) {
			file, needed, _ := strings.Cut(strings.TrimSpace(line), ":")
			base, _, _ := strings.Cut(path.Base(file), ".ko")
			if strings.ReplaceAll(base, "-", "_") != name {
				continue
			}
			files := append([]string{file}, strings.Fields(needed)...)
			for _, f := range slices.Backward(files) {
				if !slices.Contains(order, f) {
					order = append(order, f)
				}
			}
		}
	}
	return order
}

// readModule reads a module, which distributions may have compressed.
func readModule(ctx context.Context, file string) ([]byte, error) {
	tool := map[string]string{".xz": "xz", ".zst": "zstd", ".gz": "gzip"}[path.Ext(file)]
	if tool == "" {
		data, err := os.ReadFile(file) //nolint:gosec // A module of the kernel.
		if err != nil {
			return nil, fmt.Errorf("vmtest: guest: %w", err)
		}
		return data, nil
	}
	data, err := exec.CommandContext(ctx, tool, "-dc", file).Output() //nolint:gosec // One of three tools.
	if err != nil {
		return nil, fmt.Errorf("vmtest: guest: %s %s: %w", tool, file, err)
	}
	return data, nil
}

// A Report is what a guest found.
type Report struct {
	Cmdline string // of its kernel, without the line break at its end
	Config  []byte // the file that config_url names, or nil
}

// ReadReport reads the report that a guest printed on the console. It fails
// when the guest did not get to its end.
func ReadReport(console string) (*Report, error) {
	if m := regexp.MustCompile(failedLine).FindString(console); m != "" {
		return nil, fmt.Errorf("vmtest: guest: %s", m)
	}
	if !regexp.MustCompile(bootedLine).MatchString(console) {
		return nil, errors.New("vmtest: guest: not booted")
	}
	cmdline, err := section(console, "cmdline")
	if err != nil {
		return nil, err
	}
	config, err := section(console, "config")
	if err != nil {
		return nil, err
	}
	return &Report{Cmdline: string(bytes.TrimSuffix(cmdline, []byte{'\n'})), Config: config}, nil
}

// section returns the bytes that were printed under name, or nil.
func section(console, name string) ([]byte, error) {
	_, rest, ok := strings.Cut(console, "GUEST-BEGIN "+name+"\n")
	if !ok {
		return nil, nil
	}
	text, _, ok := strings.Cut(rest, "GUEST-END "+name+"\n")
	if !ok {
		return nil, fmt.Errorf("vmtest: guest: %s: cut short", name)
	}
	data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
	if err != nil {
		return nil, fmt.Errorf("vmtest: guest: %s: %w", name, err)
	}
	return data, nil
}
