package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/vmtest"
)

const (
	timeout     = 5 * time.Minute // for the whole boot; it takes about 15 s
	cmdline     = "console=ttyS0 quiet demo=netbootkit"
	cloudConfig = "#cloud-config\nhostname: demo\nusers:\n  - name: kairos\n    passwd: kairos\n"
)

// machine is the address of the demo's machine.
func machine() net.HardwareAddr { return net.HardwareAddr{0x02, 0, 0, 0, 0, 1} }

// run does what the command line says, on a network of its own that is gone
// when it returns.
func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	netboot := flags.String("netboot", "bin/netboot", "the `program` to show")
	path := flags.String("path", "uefi", "what the machine's firmware boots by: bios, uefi (PXE) or http (UEFI HTTP boot)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	firmware, ok := map[string]vmtest.Firmware{"bios": vmtest.BIOS, "uefi": vmtest.UEFI, "http": vmtest.UEFIHTTP}[*path]
	if !ok {
		return fmt.Errorf("-path %s: want bios, uefi or http", *path)
	}
	if os.Geteuid() != 0 {
		return errors.New("must be root, to make network namespaces")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not booted after %v", timeout))
	defer cancel()

	network, err := vmtest.NewNetwork(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	server, err := serve(ctx, network, *netboot, stdout)
	if err != nil {
		return err
	}
	return boot(ctx, network, server, firmware, stdout)
}

// serve starts the two servers and returns netboot.
func serve(ctx context.Context, network *vmtest.Network, netboot string, stdout io.Writer) (*vmtest.Process, error) {
	address, err := network.Host(ctx, "address", netip.MustParsePrefix("192.168.77.1/24"))
	if err != nil {
		return nil, err
	}
	boot, err := network.Host(ctx, "boot", netip.MustParsePrefix("192.168.77.2/24"))
	if err != nil {
		return nil, err
	}
	dir, err := network.Dir("files")
	if err != nil {
		return nil, err
	}
	guest, err := vmtest.NewGuest(ctx)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.yaml")
	if err := errors.Join(guest.Write(dir), os.WriteFile(config, []byte(cloudConfig), 0o600)); err != nil {
		return nil, err
	}
	args := []string{
		"-kernel", filepath.Join(dir, "kernel"), "-initrd", filepath.Join(dir, "initrd"),
		"-cmdline", cmdline, "-cloud-config", config, "-log-format", "json",
	}
	say(stdout, "192.168.77.1 $ dnsmasq, as the ordinary DHCP server\n")
	if _, err := address.StartDHCP(ctx); err != nil {
		return nil, err
	}
	say(stdout, "192.168.77.2 $ netboot %s\n", strings.Join(quote(args), " "))
	program, err := filepath.Abs(netboot)
	if err != nil {
		return nil, err
	}
	p, err := boot.Start(ctx, program, args...)
	if err != nil {
		return nil, err
	}
	return p, p.Output.Await(ctx, `Ready:`)
}

// quote returns args as they are written in a shell.
func quote(args []string) []string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if quoted[i] = a; strings.ContainsAny(a, " {}$\"'") {
			quoted[i] = "'" + a + "'"
		}
	}
	return quoted
}

// boot switches a machine on, checks what it booted, and says how.
func boot(ctx context.Context, n *vmtest.Network, server *vmtest.Process, firmware vmtest.Firmware, stdout io.Writer) error {
	say(stdout, "%v is switched on\n\n", machine())
	m, err := n.Boot(ctx, vmtest.Spec{Firmware: firmware, MAC: machine(), Console: vmtest.Plain(stdout)})
	if err != nil {
		return err
	}
	report, err := m.Report(ctx)
	if err != nil {
		return fmt.Errorf("%w\nnetboot said:\n%s", err, server.Output.Tail())
	}
	_ = m.Wait(ctx)
	if !strings.Contains(report.Cmdline, cmdline) {
		return fmt.Errorf("the kernel was given %q, not %q", report.Cmdline, cmdline)
	}
	if !bytes.Equal(report.Config, []byte(cloudConfig)) {
		return fmt.Errorf("the guest got the cloud config %q, not %q", report.Config, cloudConfig)
	}
	steps, err := readSteps(server.Output.String(), machine().String())
	if err != nil {
		return err
	}
	say(stdout, "\n")
	booted, _ := m.Console.Time("GUEST-BOOTED")
	summarize(stdout, m.Started, booted, steps)
	return nil
}

// say prints to a terminal, whose failure would be no reason to stop.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
