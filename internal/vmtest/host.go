package vmtest

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A Host is a computer on a [Network] that runs programs of this one's file
// system. Its only interface is called eth0.
type Host struct {
	network   *Network
	namespace string
	port      string // its end of the cable at the bridge
}

// Command returns a command that runs in the host's network namespace.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", h.namespace, name}, args...)...) //nolint:gosec // Running any program is the purpose.
}

// Start runs a program on the host until it ends, ctx is cancelled, or the
// network is closed.
func (h *Host) Start(ctx context.Context, name string, args ...string) (*Process, error) {
	return h.network.start(h.Command(ctx, name, args...), filepath.Base(name))
}

// StartDHCP runs dnsmasq on the host as an ordinary DHCP server: it hands out
// addresses 100 to 199 of the network 192.168.77.0/24, and says nothing about
// booting. More arguments may make it do so. It returns when the server is
// ready.
func (h *Host) StartDHCP(ctx context.Context, args ...string) (*Process, error) {
	p, err := h.Start(ctx, "dnsmasq", append([]string{
		"--no-daemon", "--conf-file=/dev/null", "--user=root", "--log-dhcp",
		"--port=0", "--interface=eth0", "--bind-interfaces",
		"--dhcp-range=192.168.77.100,192.168.77.199,1h", "--dhcp-option=3", "--no-ping",
		"--dhcp-leasefile=" + filepath.Join(h.network.dir, h.port+".leases"),
	}, args...)...)
	if err != nil {
		return nil, err
	}
	return p, p.Output.Await(ctx, "sockets bound exclusively")
}

// AddAddress gives the host another address, and tells everyone on the
// network that it is here now, as the new holder of a virtual address does.
func (h *Host) AddAddress(ctx context.Context, addr netip.Prefix) error {
	if _, err := ip(ctx, "-n %s addr add %s dev eth0", h.namespace, addr); err != nil {
		return err
	}
	out, err := h.Command(ctx, "busybox", "arping", "-U", "-c", "2", "-I", "eth0", addr.Addr().String()).CombinedOutput()
	if err != nil && len(out) == 0 { // It fails for want of an answer, which nobody gives.
		return fmt.Errorf("vmtest: arping: %w", err)
	}
	return nil
}

// RemoveAddress takes an address away from the host.
func (h *Host) RemoveAddress(ctx context.Context, addr netip.Prefix) error {
	_, err := ip(ctx, "-n %s addr del %s dev eth0", h.namespace, addr)
	return err
}

// Disconnect pulls the host's cable. Who talks to it hears nothing any more,
// not even that a connection was closed.
func (h *Host) Disconnect(ctx context.Context) error {
	_, err := ip(ctx, "-n %s link set %s down", h.network.lan, h.port)
	return err
}

// SetRate limits what the host sends to a number of megabits per second, so
// that a transfer lasts long enough to be cut short.
func (h *Host) SetRate(ctx context.Context, megabits int) error {
	cmd := h.Command(ctx, "tc", "qdisc", "replace", "dev", "eth0", "root",
		"tbf", "rate", fmt.Sprintf("%dmbit", megabits), "burst", "64kb", "latency", "200ms")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("vmtest: tc: %w: %s", err, out)
	}
	return nil
}

// Sent returns how many bytes the host has sent.
func (h *Host) Sent(ctx context.Context) (int64, error) {
	out, err := h.Command(ctx, "cat", "/sys/class/net/eth0/statistics/tx_bytes").Output()
	if err != nil {
		return 0, fmt.Errorf("vmtest: bytes sent: %w", err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}
