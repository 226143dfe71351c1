package dhcpproxy_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

var advertised = dhcpproxy.WithAdvertise(netip.MustParseAddr("192.0.2.1"))

func TestServerExplain(t *testing.T) {
	t.Parallel()

	policy := chainload()
	policy.Known = func(_ context.Context, req *dhcpproxy.Request) (bool, error) { return req.Hostname != "stranger", nil }
	srv, err := dhcpproxy.NewServer(policy, advertised)
	require.NoError(t, err)
	tests := []struct {
		name    string
		request *request
		want    []string
	}{
		{"uefi", discover(pxeX64, 7), []string{
			`52:54:00:12:34:56 asks as uefi, architecture x64-efi, vendor class "PXEClient:Arch:00007:UNDI:003016".`,
			`It gets an offer of 324 bytes, sent to 255.255.255.255:68: boot file "52:54:00:12:34:56/ipxe.efi" from 192.0.2.1.`,
			`Policy: firmware: boot program.`,
			`UEFI firmware then asks port 4011 for the file.`,
		}},
		{"marked ipxe", discover(pxeX64, 7).setString(77, "Tinkerbell"), []string{
			`52:54:00:12:34:56 asks as chained, architecture x64-efi, vendor class "PXEClient:Arch:00007:UNDI:003016", user class ["Tinkerbell"].`,
			`It gets an offer of 333 bytes, sent to 255.255.255.255:68: boot file "http://192.0.2.1:8090/script" from 192.0.2.1.`,
			`Policy: marked iPXE: script.`,
		}},
		{"through a relay", discover(pxeBIOS, 0).with(func(r *request) { r.giaddr = [4]byte{10, 1, 0, 1} }), []string{
			`52:54:00:12:34:56 asks as bios, architecture x86-bios, vendor class "PXEClient:Arch:00000:UNDI:002001", behind relay agent 10.1.0.1.`,
			`It gets an offer of 330 bytes, sent to 10.1.0.1:67: boot file "52:54:00:12:34:56/undionly.kpxe" from 192.0.2.1.`,
			`Policy: firmware: boot program.`,
		}},
		{"not known", discover(pxeX64, 7).setString(12, "stranger"), []string{
			`52:54:00:12:34:56 asks as uefi, architecture x64-efi, vendor class "PXEClient:Arch:00007:UNDI:003016".`,
			`The packet is ignored: the handler chose silence for this machine.`,
			`Cause: dhcpproxy: handle for 52:54:00:12:34:56: machine not known: declined.`,
		}},
		{"ordinary", discover("MSFT 5.0", 7), []string{
			`52:54:00:12:34:56 asks as uefi, architecture x64-efi, vendor class "MSFT 5.0".`,
			`The packet is ignored: it is not a network boot: option 60 begins with neither PXEClient nor HTTPClient.`,
		}},
		{"reply", discover(pxeX64, 7).with(func(r *request) { r.op = 2 }), []string{
			`The packet is ignored: it is a reply, not a request.`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := srv.Explain(t.Context(), tt.request.bytes(), dhcpproxy.Path{})
			assert.Equal(t, strings.Join(tt.want, "\n")+"\n", e.String())
		})
	}
}

// What Explain says is what Serve does.
func TestServerExplainAgreesWithServe(t *testing.T) {
	t.Parallel()

	for _, row := range matrix() {
		policy := chainload()
		if row.configure != nil {
			row.configure(policy)
		}
		e := make(events, 10)
		srv, conn := serve(t, policy, e.option(), advertised)
		via := onPort67
		via.Interface = 0 // Explain asks the system for interfaces.
		explained := srv.Explain(t.Context(), row.request.bytes(), via)
		ev, d := conn.send(t, e, row.request.bytes(), via)
		assert.Equal(t, ev.Reason, explained.Reason, row.name)
		if d != nil {
			assert.Equal(t, d.payload, explained.Reply, row.name)
			assert.Equal(t, d.path.Remote, explained.To.Remote, row.name)
			assert.Equal(t, ev.Client, explained.Request.Client, row.name)
		}
	}
}

func TestServerExplainHasNoEffect(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		e := make(events, 10)
		srv, conn := serve(t, program("ipxe.efi"), e.option(), advertised,
			dhcpproxy.WithRateLimit(2, time.Second), dhcpproxy.WithLoopLimit(2, time.Minute))
		for range 10 {
			assert.Equal(t, dhcpproxy.ReasonNone, srv.Explain(t.Context(), asking(1), onPort67).Reason)
		}
		assert.Empty(t, e)
		assert.Zero(t, srv.Stats().Received+srv.Stats().Offers+srv.Stats().Loops)
		for range 3 {
			conn.send(t, e, asking(1), onPort67)
		}
		assert.Equal(t, dhcpproxy.ReasonRateLimited, srv.Explain(t.Context(), asking(1), onPort67).Reason)
	})
}

func TestServerExplainWhenHandlerSlow(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		srv, err := dhcpproxy.NewServer(dhcpproxy.HandlerFunc(func(context.Context, *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			time.Sleep(time.Second)
			return &dhcpproxy.Offer{BootFile: "x"}, nil
		}), advertised)
		require.NoError(t, err)
		assert.Equal(t, dhcpproxy.ReasonHandlerTimeout, srv.Explain(t.Context(), asking(1), onPort67).Reason)
	})
}
