package vmtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A Network is an Ethernet segment for machines and hosts. Its methods may be
// called concurrently.
type Network struct {
	prefix string // of its namespaces
	lan    string // the namespace with the bridge
	dir    string // for the files of its machines and hosts

	mu        sync.Mutex
	taps      int
	processes []*Process
}

// NewNetwork makes a segment with nothing on it. The caller closes it.
func NewNetwork(ctx context.Context) (*Network, error) {
	if err := removeLeftovers(ctx); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s%d-%s", namePrefix, os.Getpid(), strings.ToLower(rand.Text()[:8]))
	n := &Network{prefix: name + "-", dir: filepath.Join(os.TempDir(), name)}
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	n.lan = n.prefix + "lan"
	if err := n.up(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// up makes the bridge. It forwards at once: a port that first listens for
// 15 seconds, as with STP, costs the firmware its first requests.
func (n *Network) up(ctx context.Context) error {
	return steps(ctx,
		"netns add "+n.lan,
		"-n "+n.lan+" link add br0 type bridge stp_state 0 forward_delay 0",
		"-n "+n.lan+" link set br0 up",
	)
}

// steps runs ip once for each line.
func steps(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		if _, err := ip(ctx, "%s", line); err != nil {
			return err
		}
	}
	return nil
}

// Host adds a host called name, whose interface eth0 has the given addresses.
// The name is a word of at most ten letters that no other host has.
func (n *Network) Host(ctx context.Context, name string, addrs ...netip.Prefix) (*Host, error) {
	h := &Host{network: n, namespace: n.prefix + name, port: "p-" + name}
	err := steps(ctx,
		"netns add "+h.namespace,
		"-n "+h.namespace+" link set lo up",
		fmt.Sprintf("-n %s link add %s type veth peer name eth0 netns %s", n.lan, h.port, h.namespace),
		fmt.Sprintf("-n %s link set %s master br0 up", n.lan, h.port),
		"-n "+h.namespace+" link set eth0 up",
	)
	if err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		if _, err := ip(ctx, "-n %s addr add %s dev eth0", h.namespace, addr); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Dir makes a folder for files of the network's hosts, which everyone may read
// and which goes away with the network.
func (n *Network) Dir(name string) (string, error) {
	dir := filepath.Join(n.dir, name)
	//nolint:gosec // Servers that gave up their rights read from there.
	if err := errors.Join(os.Chmod(n.dir, 0o755), os.Mkdir(dir, 0o755)); err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	return dir, nil
}

// tap adds a tap device to the bridge and returns its name.
func (n *Network) tap(ctx context.Context) (string, error) {
	n.mu.Lock()
	name := fmt.Sprintf("tap%d", n.taps)
	n.taps++
	n.mu.Unlock()
	return name, steps(ctx,
		"-n "+n.lan+" tuntap add "+name+" mode tap",
		"-n "+n.lan+" link set "+name+" master br0 up",
	)
}

// Close ends every program and machine on the network and removes it.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.processes {
		p.Kill()
	}
	ctx := context.Background() // Cleaning up is not cancelled.
	names, err := namespaces(ctx, n.prefix)
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, removeNamespace(ctx, name))
	}
	return errors.Join(append(errs, os.RemoveAll(n.dir))...)
}
