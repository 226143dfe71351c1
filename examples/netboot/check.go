package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/examples/internal/preflight"
)

// discoverTime is how long -check waits for answers on each interface: DHCP
// servers probe the address that they offer, for a second or more.
const discoverTime = 4 * time.Second

// errProblems is returned by -check for a host that cannot serve machines.
var errProblems = errors.New("this host cannot serve machines as it is; see above")

// check says on w what may keep machines from booting.
func check(ctx context.Context, c *config, w io.Writer) error {
	bad := false
	say := func(err error, ok string) {
		if err != nil {
			bad = true
			fmt.Fprintf(w, "FAIL  %v\n", err)
		} else {
			fmt.Fprintf(w, "ok    %s\n", ok)
		}
	}
	nics, err := preflight.Interfaces(c.interfaces)
	say(err, fmt.Sprintf("interfaces: %v", nics))
	ports := c.ports()
	for _, p := range ports {
		if p.Network == "packet" {
			continue // A packet socket shares its port with everybody.
		}
		say(p.Free(ctx), fmt.Sprintf("port %d/%s (%s) is free", p.Addr.Port(), p.Network[:3], p.Use))
	}
	for _, nic := range nics {
		if err := checkWire(ctx, nic, w); err != nil {
			fmt.Fprintf(w, "note  %s: other servers cannot be looked for: %v\n", nic.Name, err)
		}
	}
	for _, hint := range preflight.Firewalls(os.DirFS("/"), ports) {
		fmt.Fprintf(w, "note  %s\n", hint)
	}
	if bad {
		return errProblems
	}
	return ctx.Err()
}

// checkWire says who else answers machines that boot on nic.
func checkWire(ctx context.Context, nic preflight.Interface, w io.Writer) error {
	conn, err := dhcpproxy.ListenPacket(ctx, 68)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	answers, err := preflight.Discover(ctx, conn, &nic.Interface, discoverTime)
	if err != nil {
		return err
	}
	leases := false
	for _, a := range answers {
		fmt.Fprintf(w, "note  %s: %s\n", nic.Name, a)
		leases = leases || a.Address
	}
	if !leases {
		fmt.Fprintf(w, "note  %s: no DHCP server leases addresses here; machines need one\n", nic.Name)
	}
	return nil
}
