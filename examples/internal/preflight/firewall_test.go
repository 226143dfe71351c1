package preflight_test

import (
	"net/netip"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/examples/internal/preflight"
)

func TestFirewalls(t *testing.T) {
	t.Parallel()

	ports := []preflight.Port{
		{Network: "udp4", Addr: netip.MustParseAddrPort("0.0.0.0:67")},
		{Network: "tcp4", Addr: netip.MustParseAddrPort("0.0.0.0:8090")},
	}
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	tests := []struct {
		name string
		host fstest.MapFS
		want []string
	}{
		{"none", fstest.MapFS{"proc/modules": file("ext4 1 0 - Live 0x0\n"), "proc/7/comm": file("bash\n")}, nil},
		{"ufw", fstest.MapFS{"etc/ufw/ufw.conf": file("# x\nENABLED=yes\n")}, []string{"ufw is enabled; let machines in with: ufw allow 67/udp; ufw allow 8090/tcp"}},
		{"ufw off", fstest.MapFS{"etc/ufw/ufw.conf": file("ENABLED=no\n")}, nil},
		{"firewalld", fstest.MapFS{"proc/7/comm": file("firewalld\n")}, []string{"firewalld is running; let machines in with: firewall-cmd --add-port=67/udp; firewall-cmd --add-port=8090/tcp"}},
		{"nftables", fstest.MapFS{"proc/modules": file("nf_tables 1 2 - Live 0x0\n")}, []string{"nftables is loaded; see whether its rules drop these ports: nft list ruleset"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, preflight.Firewalls(tt.host, ports))
		})
	}
}
