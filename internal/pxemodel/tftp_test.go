package pxemodel_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

// tftpServer is a socket on the loopback that answers each request packet
// with what answer returns for it, from another port.
func tftpServer(t *testing.T, answer func(request []byte) [][]byte) (netip.AddrPort, <-chan []byte) {
	t.Helper()
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	front, back := open(), open()
	received := make(chan []byte, 100)
	serve := func(conn *net.UDPConn) {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			received <- bytes.Clone(buf[:n])
			for _, b := range answer(buf[:n]) {
				_, _ = back.WriteToUDPAddrPort(b, from)
			}
		}
	}
	go serve(front)
	go serve(back)
	return front.LocalAddr().(*net.UDPAddr).AddrPort(), received
}

// fetcher is a model with its way of downloading.
type fetcher func(ctx context.Context, server netip.AddrPort, name string) ([]byte, error)

func fetchers() map[string]fetcher {
	return map[string]fetcher{
		"BIOS": bios().Fetch,
		"EDK2": func(ctx context.Context, s netip.AddrPort, name string) ([]byte, error) {
			return edk2().Fetch(ctx, s, name, 0)
		},
		"EDK2 that knows the size": func(ctx context.Context, s netip.AddrPort, name string) ([]byte, error) {
			return edk2().Fetch(ctx, s, name, 1024)
		},
		"iPXE": ipxe().Fetch,
	}
}

// TestFetchRequests compares requests for a file with captured ones.
func TestFetchRequests(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]string{
		"EDK2": "edk2-tftp-probe", "EDK2 that knows the size": "edk2-tftp-read", "iPXE": "ipxe-tftp-read",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := tftpServer(t, func([]byte) [][]byte { return nil })
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := fetchers()[name](ctx, server, "ipxe.efi")
			require.Error(t, err)
			assert.Equal(t, readHex(t, want), <-received)
		})
	}
}

// TestFetchOACK shows who bears which answer to its options.
func TestFetchOACK(t *testing.T) {
	t.Parallel()

	const size = "tsize\x003\x00"
	tests := []struct {
		oack string
		bear map[string]bool
	}{
		{size, map[string]bool{"BIOS": true, "EDK2": true, "iPXE": true}},
		{size + "utimeout\x001\x00", map[string]bool{"iPXE": true}},
		{size + "timeout\x001\x00", map[string]bool{"iPXE": true}},
		{size + "blksize\x001469\x00", map[string]bool{"iPXE": true}},
		{size + "windowsize\x005\x00", map[string]bool{"iPXE": true}},
		{"tsize\x00", map[string]bool{}},
	}
	for _, tt := range tests {
		for _, name := range []string{"BIOS", "EDK2", "iPXE"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()

				server, _ := tftpServer(t, func(request []byte) [][]byte {
					switch {
					case request[1] == 1 && bytes.Contains(request, []byte("tsize")):
						return [][]byte{[]byte("\x00\x06" + tt.oack)}
					case request[1] == 1, request[1] == 4 && request[3] == 0:
						return [][]byte{[]byte("\x00\x03\x00\x01abc")}
					}
					return nil
				})
				data, err := fetchers()[name](t.Context(), server, "x")
				if !tt.bear[name] {
					require.Error(t, err, "%q", tt.oack)
					return
				}
				require.NoError(t, err, "%q", tt.oack)
				assert.Equal(t, "abc", string(data))
			})
		}
	}
}

// TestFetchOutOfOrder sends the second block before the first, once.
func TestFetchOutOfOrder(t *testing.T) {
	t.Parallel()

	first, second := append([]byte{0, 3, 0, 1}, make([]byte, 512)...), []byte{0, 3, 0, 2, 'e', 'n', 'd'}
	for _, name := range []string{"BIOS", "EDK2 that knows the size", "iPXE"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := tftpServer(t, func(request []byte) [][]byte {
				switch {
				case request[1] == 1 && bytes.Contains(request, []byte("tsize\x000\x00")) && name == "BIOS":
					return [][]byte{[]byte("\x00\x06tsize\x00515\x00")}
				case request[1] == 1:
					return [][]byte{second, first}
				case request[1] == 4 && request[3] == 1:
					return [][]byte{second}
				}
				return nil
			})
			data, err := fetchers()[name](t.Context(), server, "x")
			require.NoError(t, err)
			assert.Len(t, data, 515)
			want := []byte{0, 1, 2}
			if name == "iPXE" { // It kept the early block.
				want = []byte{0, 2}
			}
			for len(want) > 0 {
				if b := <-received; b[1] == 4 {
					require.Equal(t, want[0], b[3], "acknowledged")
					want = want[1:]
				}
			}
		})
	}
}

func TestFetchError(t *testing.T) {
	t.Parallel()

	for name, fetch := range fetchers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := tftpServer(t, func([]byte) [][]byte { return [][]byte{[]byte("\x00\x05\x00\x01gone\x00")} })
			_, err := fetch(t.Context(), server, "x")
			var refused *pxemodel.TFTPError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, &pxemodel.TFTPError{Code: 1, Text: "gone"}, refused)
		})
	}
}
