package pxemodel_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

// A machine with iPXE boots beside an address server and a proxy. Firmware
// that waits for seconds belongs into a testing/synctest bubble.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	pool := netip.MustParsePrefix("192.0.2.0/24")
	network := pxemodel.NewNetwork(pool, pxemodel.Faults{})
	attach := func(n byte, addr netip.Addr) *pxemodel.Host {
		return network.Attach(net.HardwareAddr{2, 0, 0, 0, 0, n}, addr, netip.Addr{})
	}
	address := attach(1, netip.MustParseAddr("192.0.2.1"))
	go (&pxemodel.AddressServer{Host: address, Pool: pool}).Serve(ctx)

	proxy := attach(2, netip.MustParseAddr("192.0.2.2"))
	go pxemodel.Answer(ctx, proxy, 67, func(req *pxemodel.Packet, _ pxemodel.Datagram) [][]byte {
		if req.Type() != pxemodel.Discover {
			return nil
		}
		p := pxemodel.ReplyTo(req)
		p.SIAddr, p.File = proxy.Addr(), "undionly.kpxe"
		p.Add(pxemodel.OptMessageType, pxemodel.Offer)
		p.AddAddr(pxemodel.OptServerID, proxy.Addr())
		p.Add(pxemodel.OptVendorClass, []byte("PXEClient")...)
		return [][]byte{p.Marshal(300)}
	})

	result, err := new(pxemodel.IPXE).Boot(ctx, attach(3, netip.Addr{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Address, result.URL(), result.Via)
	// Output: 192.0.2.50 tftp://192.0.2.2/undionly.kpxe proxy offer
}
