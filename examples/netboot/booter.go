package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/ipxe"
)

// A booter is what decides, with what has to be known about it here. It does
// not embed the Booter, which would hide what else that can do.
type booter struct {
	decide ipxe.Booter
	late   bool // it may know a machine only once its script is asked for
	close  func()
}

// newBooter returns what the command line says that machines boot. Everything
// that can be wrong with it is found now and not when a machine asks.
func newBooter(ctx context.Context, c *config, log *slog.Logger) (*booter, error) {
	root, closeFiles, err := openTree(c.root)
	if err != nil {
		return nil, err
	}
	b := &booter{close: closeFiles}
	files, err := renderCloudConfig(c, root)
	if err != nil {
		b.close()
		return nil, err
	}
	spec := c.spec()
	if c.medium() {
		live, err := openMedium(ctx, c, files, log, b.onClose)
		if err != nil {
			b.close()
			return nil, err
		}
		files, spec.Kernel, spec.Initrd, spec.Cmdline = live, mediumKernel, []string{mediumInitrd}, withCloudConfig(live.boots(c.cmdline), c.cloudConfig)
	}
	if err := b.choose(c, spec, files); err != nil {
		b.close()
		return nil, err
	}
	if c.once == "" {
		return b, nil
	}
	if err := b.once(c); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// choose sets the booter that the command line asks for.
func (b *booter) choose(c *config, spec *ipxe.Spec, files fs.FS) error {
	if c.api != "" {
		opts := []ipxe.APIOption{ipxe.WithAPITimeout(c.apiTimeout)}
		if c.apiFiles {
			opts = append(opts, ipxe.WithAPIFiles(files))
		}
		api, err := ipxe.NewAPI(c.api, opts...)
		if err != nil {
			return err
		}
		b.onClose(func() { _ = api.Close() })
		b.decide = api
		return nil
	}
	table := ipxe.Static(spec, files)
	if c.table != "" {
		entries, err := readTable(c.table)
		if err != nil {
			return err
		}
		if table, err = ipxe.NewTable(files, entries...); err != nil {
			return fmt.Errorf("%s: %w", c.table, err)
		}
		for _, e := range entries {
			b.late = b.late || e.Serial != ""
		}
	}
	b.decide = table
	return table.Check()
}

// once makes b boot each machine from the network once.
func (b *booter) once(c *config) error {
	if err := os.MkdirAll(c.once, 0o700); err != nil {
		return err
	}
	state, err := os.OpenRoot(c.once)
	if err != nil {
		return err
	}
	b.onClose(func() { _ = state.Close() })
	b.decide = ipxe.NewOnce(b.decide, ipxe.NewDirLedger(state), c.local)
	return nil
}

func (b *booter) onClose(fn func()) {
	before := b.close
	b.close = func() { fn(); before() }
}

// known reports whether a machine that asks over DHCP boots from here. A
// serial number is not part of DHCP, so where one decides, the machine is let
// through to ask for its script.
func (b *booter) known(ctx context.Context, req *dhcpproxy.Request) (bool, error) {
	spec, err := b.decide.BootSpec(ctx, &ipxe.Machine{MAC: req.MAC, UUID: req.UUID, Arch: buildArch(req.Arch)})
	if errors.Is(err, ipxe.ErrNotReady) {
		return true, nil // The script's answer will say when to come again.
	}
	return spec != nil || b.late, err
}

// buildArch returns what iPXE calls the architecture that a machine's firmware
// tells DHCP.
func buildArch(a dhcpproxy.Arch) string {
	switch a {
	case dhcpproxy.ArchX86BIOS, dhcpproxy.ArchX86EFI, dhcpproxy.ArchX86HTTP, dhcpproxy.ArchBIOSHTTP:
		return "i386"
	case dhcpproxy.ArchX64EFI, dhcpproxy.ArchEBC, dhcpproxy.ArchX64HTTP, dhcpproxy.ArchEBCHTTP:
		return "x86_64"
	case dhcpproxy.ArchARM64EFI, dhcpproxy.ArchARM64HTTP:
		return "arm64"
	case dhcpproxy.ArchARM32EFI, dhcpproxy.ArchARM32HTTP:
		return "arm32"
	case dhcpproxy.ArchRISCV64EFI, dhcpproxy.ArchRISCV64HTTP:
		return "riscv64"
	case dhcpproxy.ArchLoong64EFI, dhcpproxy.ArchLoong64HTTP:
		return "loong64"
	default:
		return ""
	}
}

// spec returns what -kernel and its companions say.
func (c *config) spec() *ipxe.Spec {
	return &ipxe.Spec{
		Kernel:  c.kernel,
		Initrd:  c.initrd,
		Cmdline: withCloudConfig(c.cmdline, c.cloudConfig),
		Message: c.message,
	}
}

// withCloudConfig adds the URL of the file to a command line that does not
// say itself where its configuration is.
func withCloudConfig(cmdline, file string) string {
	if file == "" || strings.Contains(" "+cmdline, " config_url=") {
		return cmdline
	}
	return strings.TrimSpace(cmdline + " config_url={{ ID " + strconv.Quote(file) + " }}")
}
