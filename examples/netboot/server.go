package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/examples/internal/preflight"
	"github.com/netbootkit/netbootkit/examples/internal/timeline"
	"github.com/netbootkit/netbootkit/ipxe"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
	"github.com/netbootkit/netbootkit/tftpd"
)

// A server is the three servers and their sockets.
type server struct {
	cfg  *config
	boot *booter
	dhcp *dhcpproxy.Server
	tftp *tftpd.Server
	http *ipxe.Handler

	nics    []preflight.Interface
	sockets []io.Closer
	running []func(ctx context.Context) error // one for each socket
}

// newServer wires the packages together. It opens files, but no sockets.
func newServer(ctx context.Context, c *config, out *output) (*server, error) {
	boot, err := newBooter(ctx, c, out.log)
	if err != nil {
		return nil, err
	}
	s := &server{cfg: c, boot: boot}
	if err := s.wire(out); err != nil {
		boot.close()
		return nil, err
	}
	return s, nil
}

func (s *server) wire(out *output) error {
	programs, err := newPrograms(s.cfg)
	if err != nil {
		return err
	}
	return errors.Join(s.newDHCP(programs, out), s.newTFTP(programs, out), s.newHTTP(programs, out))
}

func (s *server) newDHCP(programs *firmware.Set, out *output) (err error) {
	opts := []dhcpproxy.Option{
		dhcpproxy.WithPorts(uint16(s.cfg.dhcpPort), uint16(s.cfg.pxePort)),
		dhcpproxy.WithLogger(out.quiet),
		dhcpproxy.WithEventFunc(func(e dhcpproxy.Event) { out.add(timeline.FromDHCP(e)) }),
	}
	if len(s.cfg.interfaces) > 0 {
		opts = append(opts, dhcpproxy.WithInterfaces(s.cfg.interfaces...))
	}
	if len(s.cfg.relays) > 0 {
		opts = append(opts, dhcpproxy.WithRelays(s.cfg.relays...))
	}
	if s.cfg.advertise.IsValid() {
		opts = append(opts, dhcpproxy.WithAdvertise(s.cfg.advertise))
	}
	s.dhcp, err = dhcpproxy.NewServer(s.policy(programs), opts...)
	return err
}

// policy says what the machines that boot from here are told over DHCP.
func (s *server) policy(programs *firmware.Set) *dhcpproxy.Chainload {
	return &dhcpproxy.Chainload{
		Known: s.boot.known,
		Program: func(req *dhcpproxy.Request) (string, int64, bool) {
			if req.Client == dhcpproxy.ClientRaspberryPi {
				return "", 0, s.cfg.firmware != "" // It has names of its own, and asks for them.
			}
			p, ok := programs.Program(uint16(req.Arch))
			return p.Name, p.Size, ok
		},
		Script:   func(req *dhcpproxy.Request) string { return scriptURL(s.base(req.Server), req.MAC.String()) },
		HTTPBase: func(req *dhcpproxy.Request) string { return s.base(req.Server) + "/_/boot" },
		Direct:   func(*dhcpproxy.Request) bool { return s.cfg.direct },
	}
}

func (s *server) newTFTP(programs *firmware.Set, out *output) (err error) {
	files := tftpd.FS(programs)
	h := tftpd.HandlerFunc(func(ctx context.Context, name string, peer netip.AddrPort) (tftpd.File, error) {
		if path.Base(name) == "autoexec.ipxe" && s.cfg.autoexec {
			return strings.NewReader(string(ipxe.Autoexec(s.base(s.addressFor(peer.Addr()))))), nil
		}
		return files.OpenTFTP(ctx, name, peer)
	})
	s.tftp, err = tftpd.NewServer(h,
		tftpd.WithLogger(out.quiet),
		tftpd.WithTransferFunc(func(t tftpd.Transfer) { out.add(timeline.FromTFTP(t)) }))
	return err
}

func (s *server) newHTTP(programs *firmware.Set, out *output) (err error) {
	opts := []ipxe.Option{
		ipxe.WithPrograms(programs),
		ipxe.WithLogger(out.quiet),
		ipxe.WithEventFunc(func(e ipxe.Event) { out.add(timeline.FromHTTP(e)) }),
	}
	if s.cfg.keyFile != "" {
		key, err := os.ReadFile(s.cfg.keyFile)
		if err != nil {
			return err
		}
		opts = append(opts, ipxe.WithKey(key))
	}
	if s.cfg.cert != "" {
		cert, err := tls.LoadX509KeyPair(s.cfg.cert, s.cfg.certKey)
		if err != nil {
			return fmt.Errorf("-cert %s, -cert-key %s: %w", s.cfg.cert, s.cfg.certKey, err)
		}
		opts = append(opts, ipxe.WithTLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}))
	}
	if s.cfg.autoexec {
		opts = append(opts, ipxe.WithAutoexec())
	}
	if s.cfg.baseURL != "" || s.cfg.advertise.IsValid() {
		opts = append(opts, ipxe.WithBaseURL(s.base(s.cfg.advertise)))
	}
	s.http, err = ipxe.NewHandler(s.boot.decide, opts...)
	return err
}

// base returns what the URLs begin with that a machine is given which is told
// that the server's address is addr.
func (s *server) base(addr netip.Addr) string { return s.cfg.base(addr.String()) }

// addressFor returns the address that machines at peer know this server by.
func (s *server) addressFor(peer netip.Addr) netip.Addr {
	if s.cfg.advertise.IsValid() {
		return s.cfg.advertise
	}
	return preflight.SourceAddr(peer)
}

// listen opens all sockets, or none.
func (s *server) listen(ctx context.Context) error {
	nics, err := preflight.Interfaces(s.cfg.interfaces)
	if err != nil {
		return err
	}
	s.nics = nics
	for _, p := range s.cfg.ports() {
		conn, serve, err := s.open(ctx, p)
		if err != nil {
			return p.Explain(err)
		}
		s.sockets = append(s.sockets, conn)
		s.running = append(s.running, func(ctx context.Context) error {
			if err := serve(ctx); err != nil {
				return fmt.Errorf("%s on port %d: %w", p.Use, p.Addr.Port(), err)
			}
			return nil
		})
	}
	return nil
}

// open opens the socket of p, and says what serves it.
func (s *server) open(ctx context.Context, p preflight.Port) (io.Closer, func(context.Context) error, error) {
	listen := new(net.ListenConfig)
	switch p.Use {
	case useHTTP:
		ln, err := listen.Listen(ctx, p.Network, p.Addr.String())
		return ln, func(ctx context.Context) error { return s.http.Serve(ctx, ln) }, err
	case useTFTP:
		conn, err := listen.ListenPacket(ctx, p.Network, p.Addr.String())
		return conn, func(ctx context.Context) error { return s.tftp.Serve(ctx, conn) }, err
	}
	if p.Use == useDHCP && s.cfg.packet {
		conn, err := dhcpproxy.ListenPacket(ctx, p.Addr.Port())
		return conn, func(ctx context.Context) error { return s.dhcp.Serve(ctx, conn) }, err
	}
	conn, err := dhcpproxy.Listen(ctx, p.Addr.Port())
	return conn, func(ctx context.Context) error { return s.dhcp.Serve(ctx, conn) }, err
}

// serve runs until ctx is done, or until one server fails, which ends all.
func (s *server) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range s.running {
		group.Go(func() error { return run(ctx) })
	}
	return group.Wait()
}

// close closes what newServer and listen opened.
func (s *server) close() {
	for _, c := range s.sockets {
		_ = c.Close()
	}
	s.boot.close()
}

// String says what is served where.
func (s *server) String() string {
	var ports, nics []string
	for _, p := range s.cfg.ports() {
		ports = append(ports, fmt.Sprintf("%s on %d", p.Use, p.Addr.Port()))
	}
	for _, nic := range s.nics {
		nics = append(nics, nic.String())
	}
	return strings.Join(ports, ", ") + ", for machines on " + strings.Join(nics, ", ")
}
