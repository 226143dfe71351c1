package dhcpproxy_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os/signal"
	"syscall"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// Boot every machine on the network until the program is interrupted.
func Example() {
	policy := &dhcpproxy.Chainload{
		Known: func(context.Context, *dhcpproxy.Request) (bool, error) { return true, nil },
		Program: func(req *dhcpproxy.Request) (string, int64, bool) {
			return "ipxe.efi", 0, req.Arch == dhcpproxy.ArchX64EFI
		},
		Script: func(req *dhcpproxy.Request) string {
			return fmt.Sprintf("http://%v:8090/boot.ipxe", req.Server)
		},
	}
	srv, err := dhcpproxy.NewServer(policy, dhcpproxy.WithLogger(slog.Default()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT)
	stop() // A real program goes on until then.

	fmt.Println(srv.Serve(ctx, newMemoryConn())) // Or srv.ListenAndServe(ctx), as root.
	// Output: <nil>
}

// A socket can be opened first and served later, for instance after giving up
// root's privileges.
func ExampleServer_Serve() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // A real program goes on for a while.

	srv, err := dhcpproxy.NewServer(&dhcpproxy.Chainload{})
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := dhcpproxy.Listen(ctx, 0) // A real one listens on 67, and another on 4011.
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	fmt.Println(srv.Serve(ctx, conn))
	// Output: <nil>
}

// A handler of one's own can say anything.
func ExampleHandlerFunc() {
	h := dhcpproxy.HandlerFunc(func(_ context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
		if req.Client != dhcpproxy.ClientUEFI {
			return nil, fmt.Errorf("%v clients boot elsewhere: %w", req.Client, dhcpproxy.ErrDeclined)
		}
		return &dhcpproxy.Offer{BootFile: "shimx64.efi"}, nil
	})
	_, err := h.Offer(context.Background(), &dhcpproxy.Request{Client: dhcpproxy.ClientBIOS})
	fmt.Println(err)
	// Output: bios clients boot elsewhere: declined
}

// Why does a machine not boot? Explain a packet that was captured.
func ExampleServer_Explain() {
	srv, err := dhcpproxy.NewServer(&dhcpproxy.Chainload{}, dhcpproxy.WithAdvertise(netip.MustParseAddr("192.0.2.1")))
	if err != nil {
		fmt.Println(err)
		return
	}
	packet := discover("PXEClient:Arch:00007:UNDI:003016", 7).bytes()
	fmt.Print(srv.Explain(context.Background(), packet, dhcpproxy.Path{}))
	// Output:
	// 52:54:00:12:34:56 asks as uefi, architecture x64-efi, vendor class "PXEClient:Arch:00007:UNDI:003016".
	// The packet is ignored: the handler chose silence for this machine.
	// Cause: dhcpproxy: handle for 52:54:00:12:34:56: no machine is known: declined.
}
