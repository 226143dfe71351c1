package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// A Port is one that a server listens on.
type Port struct {
	Network string // "udp4" or "tcp4"
	Addr    netip.AddrPort
	Use     string // what for: "DHCP", "TFTP", …
	Flag    string // the flag that changes it
	Remedy  string // what else helps when it is taken; may be empty
}

// Free reports whether the port can be listened on, with an error as of
// [Port.Explain]. The port is free again when Free returns.
func (p Port) Free(ctx context.Context) error {
	var c io.Closer
	var err error
	if strings.HasPrefix(p.Network, "tcp") {
		c, err = new(net.ListenConfig).Listen(ctx, p.Network, p.Addr.String())
	} else {
		c, err = new(net.ListenConfig).ListenPacket(ctx, p.Network, p.Addr.String())
	}
	if err != nil {
		return p.Explain(err)
	}
	return c.Close()
}

// Explain turns the error of listening on p into a sentence that says what to
// do about it. Other errors are returned with the port in front.
func (p Port) Explain(err error) error {
	name := fmt.Sprintf("port %d/%s (%s)", p.Addr.Port(), p.Network[:3], p.Use)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		by := "another program"
		if owner := Owner(p.Network, p.Addr.Port()); owner != "" {
			by = owner
		}
		remedy := p.Remedy
		if remedy != "" {
			remedy = ", " + remedy
		}
		return portErrorf(err, "%s is taken by %s: stop it%s, or choose another port with %s", name, by, remedy, p.Flag)
	case errors.Is(err, fs.ErrPermission):
		return portErrorf(err, "no privilege to open %s: run as root, or give the program CAP_NET_BIND_SERVICE and CAP_NET_RAW (setcap), or choose a port over 1023 with %s", name, p.Flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return portErrorf(err, "%s: no interface of this host has the address %v; choose one that does with -listen", name, p.Addr.Addr())
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
}

// A portError is a sentence in place of the system's words, which it matches.
type portError struct {
	text string
	err  error
}

func portErrorf(err error, format string, args ...any) error {
	return &portError{fmt.Sprintf(format, args...), err}
}

func (e *portError) Error() string { return e.text }

func (e *portError) Unwrap() error { return e.err }
