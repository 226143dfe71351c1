package timeline_test

import (
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/examples/internal/timeline"
	"github.com/netbootkit/netbootkit/ipxe"
	"github.com/netbootkit/netbootkit/tftpd"
)

func TestFrom(t *testing.T) {
	t.Parallel()

	hw := net.HardwareAddr{8, 0, 0x27, 0x54, 0x1a, 0xd1}
	tests := []struct {
		name string
		got  timeline.Step
		want timeline.Step
	}{
		{
			"offer", timeline.FromDHCP(dhcpproxy.Event{Kind: dhcpproxy.EventOffer, MAC: hw, Client: dhcpproxy.ClientUEFI, BootFile: "f"}),
			timeline.Step{MAC: mac, Stage: timeline.DHCP, Path: "proxydhcp", Client: "uefi", File: "f"},
		},
		{
			"acknowledgement", timeline.FromDHCP(dhcpproxy.Event{Kind: dhcpproxy.EventAck, MAC: hw, Client: dhcpproxy.ClientUEFI}),
			timeline.Step{MAC: mac, Stage: timeline.DHCP, Path: "pxe", Client: "uefi"},
		},
		{
			"loop", timeline.FromDHCP(dhcpproxy.Event{Kind: dhcpproxy.EventLoop, MAC: hw, BootFile: "f"}),
			timeline.Step{MAC: mac, Stage: timeline.Loop, Client: "other", File: "f", Reason: "offered f too often"},
		},
		{
			"probe", timeline.FromTFTP(tftpd.Transfer{Name: "08-00-27-54-1a-d1/ipxe.efi", Peer: peer, Probe: true}),
			timeline.Step{MAC: mac, Stage: timeline.Program, Path: "tftp", File: "08-00-27-54-1a-d1/ipxe.efi", Peer: peer, Probe: true},
		},
		{
			"no machine", timeline.FromTFTP(tftpd.Transfer{Name: "bootcode.bin", Peer: peer, Bytes: 3}),
			timeline.Step{Stage: timeline.Program, Path: "tftp", File: "bootcode.bin", Peer: peer, Bytes: 3},
		},
		{
			"kernel", timeline.FromHTTP(ipxe.Event{Stage: ipxe.StageKernel, MAC: hw, File: "kernel", Peer: peer}),
			timeline.Step{MAC: mac, Stage: timeline.Kernel, Path: "http", File: "kernel", Peer: peer},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.got)
		})
	}

	ignored := timeline.FromDHCP(dhcpproxy.Event{Kind: dhcpproxy.EventIgnored, MAC: hw, Reason: dhcpproxy.ReasonDeclined, Err: errors.New("machine not known")})
	assert.Equal(t, timeline.Ignored, ignored.Stage)
	assert.Equal(t, "the handler chose silence for this machine: machine not known", ignored.Reason)
}
