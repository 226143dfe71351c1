package dhcpproxy_test

import (
	"os"
	"testing"
	"time"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// BenchmarkAnswer measures all that is done for one packet but the system
// calls: decode, decide, encode.
func BenchmarkAnswer(b *testing.B) {
	for _, tt := range []struct {
		name    string
		payload []byte
	}{
		{"uefi", discover(pxeX64, 7).bytes()},
		{"ipxe", discover(pxeX64, 7).setString(77, "iPXE").set(175, ipxeFeatures...).bytes()},
		{"ignored", discover(pxeX64, 7).setString(60, "MSFT 5.0").bytes()},
	} {
		b.Run(tt.name, func(b *testing.B) {
			srv, err := dhcpproxy.NewServer(chainload(), dhcpproxy.WithRateLimit(0, time.Second))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			conn := &benchConn{payload: tt.payload, left: b.N}
			b.ResetTimer()
			if err := srv.Serve(b.Context(), conn); err == nil {
				b.Fatal("the end of the packets is an error")
			}
			b.ReportMetric(float64(srv.Stats().Ignored[dhcpproxy.ReasonBusy]), "dropped")
		})
	}
}

// A benchConn reads the same packet again and again, as fast as it can.
type benchConn struct {
	memoryConn

	payload []byte
	left    int
}

func (c *benchConn) ReadPacket(b []byte) (int, dhcpproxy.Path, error) {
	if c.left == 0 {
		return 0, dhcpproxy.Path{}, os.ErrClosed
	}
	c.left--
	return copy(b, c.payload), onPort67, nil
}

func (c *benchConn) WritePacket([]byte, dhcpproxy.Path) error { return nil }

func (c *benchConn) SetReadDeadline(time.Time) error { return nil }
