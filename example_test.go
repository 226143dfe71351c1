package netbootkit_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/ipxe"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
	"github.com/netbootkit/netbootkit/tftpd"
)

// Boot every machine on the network with the files in a directory.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // A real program cancels on SIGINT; see signal.NotifyContext.

	fmt.Println(netboot(ctx, os.DirFS("images"), "127.0.0.1:0", "127.0.0.1:0", dhcpproxy.WithPorts(10067, 14011)))
	// Output: <nil>
}

func netboot(ctx context.Context, images fs.FS, httpAddr, tftpAddr string, opts ...dhcpproxy.Option) error {
	programs, err := firmware.NewSet() // iPXE for BIOS, x86-64 and arm64 UEFI.
	if err != nil {
		return err
	}
	web, err := ipxe.NewHandler(ipxe.Static(&ipxe.Spec{
		Kernel:  "vmlinuz",
		Initrd:  []string{"initrd"},
		Cmdline: `root=live:{{ ID "root.squashfs" }}`,
	}, images), ipxe.WithPrograms(programs))
	if err != nil {
		return err
	}
	boot, err := tftpd.NewServer(tftpd.FS(programs))
	if err != nil {
		return err
	}
	base := func(r *dhcpproxy.Request) string { return "http://" + r.Server.String() + ":8090" }
	proxy, err := dhcpproxy.NewServer(&dhcpproxy.Chainload{
		Known: func(context.Context, *dhcpproxy.Request) (bool, error) { return true, nil },
		Program: func(r *dhcpproxy.Request) (string, int64, bool) {
			p, ok := programs.Program(uint16(r.Arch))
			return p.Name, p.Size, ok
		},
		Script:   func(r *dhcpproxy.Request) string { return ipxe.ScriptURL(base(r), &ipxe.Machine{MAC: r.MAC}) },
		HTTPBase: func(r *dhcpproxy.Request) string { return base(r) + "/_/boot" },
	}, opts...)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return web.ListenAndServe(ctx, httpAddr) })
	group.Go(func() error { return boot.ListenAndServe(ctx, tftpAddr) })
	group.Go(func() error { return proxy.ListenAndServe(ctx) })
	return group.Wait()
}
