//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/vmtest"
)

const (
	bootTimeout = 3 * time.Minute // for one machine; it takes about half of one
	bootCmdline = "console=ttyS0 quiet bench=netboot"
	bootConfig  = "#cloud-config\nhostname: bench\n"
)

// compareBoot compares the time from power-on to the guest's marker under
// OVMF: ours, and dnsmasq with nginx, with the same iPXE, kernel and initramfs.
// It needs a network of its own, with an ordinary DHCP server.
func compareBoot(ctx context.Context, base *lab) (r *report, err error) {
	l := *base
	if l.network, err = vmtest.NewNetwork(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, step := range []func(context.Context) error{l.equip, l.address, l.leaseAddresses, l.makeGuest} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	var ours, peer bootTimes
	contend := func(c contender, script string, times *bootTimes) contender {
		c.ready = func(ctx context.Context) error {
			_, err := l.fetch(ctx, script)
			return err
		}
		c.score = func(ctx context.Context, _ *program) error {
			ends, err := l.boot(ctx)
			if err != nil {
				return err
			}
			times.add(ends)
			l.say("    %.1f s", ends[len(ends)-1].Seconds())
			return nil
		}
		return c
	}
	netboot := l.netbootServer("-kernel", "kernel", "-initrd", "initrd", "-cmdline", bootCmdline, "-cloud-config", "config")
	err = l.compete(ctx,
		contend(netboot, l.url("/_/ipxe?arch=x86_64&mac="+machineMAC), &ours),
		contend(l.dnsmasqAndNginx(), l.url("/boot.ipxe"), &peer))
	if err != nil {
		return nil, err
	}
	return &report{
		rows: []row{{
			measure: "power-on to the guest's marker in s, OVMF", peer: "dnsmasq and nginx",
			ours: ours.whole, theirs: peer.whole, lower: true, target: 1,
		}},
		tables: []table{phaseTable(&ours, &peer)},
		notes:  []string{"Both boot by the same iPXE; netboot replaces its start script, dnsmasq sends it as it was built."},
	}, nil
}

// leaseAddresses adds an ordinary DHCP server.
func (l *lab) leaseAddresses(ctx context.Context) error {
	h, err := l.network.Host(ctx, "address", netip.MustParsePrefix("192.168.77.3/24"))
	if err != nil {
		return err
	}
	_, err = h.StartDHCP(ctx)
	return err
}

// makeGuest writes what machines boot, and the script that nginx gives to iPXE.
func (l *lab) makeGuest(ctx context.Context) error {
	guest, err := vmtest.NewGuest(ctx)
	if err != nil {
		return err
	}
	script := fmt.Sprintf("#!ipxe\nkernel %s initrd=initrd %s config_url=%s\ninitrd %s\nboot\n",
		l.url("/kernel"), bootCmdline, l.url("/config"), l.url("/initrd"))
	return errors.Join(guest.Write(l.files), l.makeFile("config", []byte(bootConfig)), l.makeFile("boot.ipxe", []byte(script)))
}

// dnsmasqAndNginx is what people put together from the manuals: dnsmasq offers
// iPXE, and, to iPXE, a script that nginx serves.
func (l *lab) dnsmasqAndNginx() contender {
	web := l.nginxServer()
	c := l.dnsmasqServer(
		"--dhcp-match=set:ipxe,175",
		"--pxe-service=tag:!ipxe,X86-64_EFI,boot,"+bootProgram,
		"--pxe-service=tag:ipxe,X86-64_EFI,script,"+l.url("/boot.ipxe"),
	)
	startProxy := c.start
	c.name = "dnsmasq and nginx"
	c.start = func(ctx context.Context) (*program, error) {
		p, err := startProxy(ctx)
		if err != nil {
			return nil, err
		}
		if p.next, err = web.start(ctx); err != nil {
			p.stop()
			return nil, err
		}
		return p, nil
	}
	return c
}

// boot boots a machine, checks what it booted, and returns when it reached
// each phase.
func (l *lab) boot(ctx context.Context) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, fmt.Errorf("not booted after %v", bootTimeout))
	defer cancel()
	observe, err := l.observe(ctx)
	if err != nil {
		return nil, err
	}
	mac, err := net.ParseMAC(machineMAC)
	if err != nil {
		return nil, err
	}
	m, err := l.network.Boot(ctx, vmtest.Spec{Firmware: vmtest.UEFI, MAC: mac})
	if err != nil {
		return nil, err
	}
	defer m.Kill()
	report, err := m.Report(ctx)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(report.Cmdline, bootCmdline) || string(report.Config) != bootConfig {
		return nil, fmt.Errorf("booted with command line %q and configuration %q", report.Cmdline, report.Config)
	}
	steps, err := observe()
	if err != nil {
		return nil, err
	}
	booted, _ := m.Console.Time("GUEST-BOOTED")
	return marks(steps, m.Started, booted)
}

// observe starts a watcher on the server's host. The result ends it and
// returns what it saw.
func (l *lab) observe(ctx context.Context) (func() ([]step, error), error) {
	cmd := l.server.Command(ctx, l.self, "watch")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("watch: %q: %w", line, err), cmd.Wait())
	}
	return func() ([]step, error) {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			return nil, err
		}
		var rest bytes.Buffer
		_, readErr := rest.ReadFrom(lines)
		if err := errors.Join(readErr, cmd.Wait()); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		var steps []step
		return steps, json.Unmarshal(rest.Bytes(), &steps)
	}, nil
}
