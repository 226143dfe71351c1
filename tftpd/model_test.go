package tftpd_test

import (
	"bytes"
	"context"
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/netsim"
	"github.com/netbootkit/netbootkit/internal/pxemodel"
	"github.com/netbootkit/netbootkit/tftpd"
)

// models lists how firmware downloads, and whether it asks for the size in a
// transfer of its own that it breaks off.
func models() map[string]struct {
	probes bool
	fetch  func(ctx context.Context, server netip.AddrPort, name string) ([]byte, error)
} {
	edk2 := func(known int64) func(context.Context, netip.AddrPort, string) ([]byte, error) {
		return func(ctx context.Context, server netip.AddrPort, name string) ([]byte, error) {
			return new(pxemodel.EDK2).Fetch(ctx, server, name, known)
		}
	}
	type model = struct {
		probes bool
		fetch  func(ctx context.Context, server netip.AddrPort, name string) ([]byte, error)
	}
	return map[string]model{
		"BIOS":             {true, new(pxemodel.BIOS).Fetch},
		"EDK2":             {true, edk2(0)},
		"EDK2 with a size": {false, edk2(512)},
		"iPXE":             {false, new(pxemodel.IPXE).Fetch},
	}
}

// TestServerServeFirmware serves files of awkward sizes as firmware fetches
// them. The probe that boot ROMs break off is not reported as a failure.
func TestServerServeFirmware(t *testing.T) {
	t.Parallel()

	sizes := []int{0, 1, 511, 512, 513, 1432, 1456, 1468, 4 * 1468, 8*1468 - 1, 300_000}
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			srv := start(t, patterns(sizes...))
			for _, n := range sizes {
				file := strconv.Itoa(n)
				got, err := m.fetch(t.Context(), srv.port, file)
				require.NoError(t, err, file)
				require.True(t, bytes.Equal(patterns(n)[file].Data, got), "content of %s differs", file)

				tr := srv.next(t)
				if m.probes { // It may be reported after the transfer that follows.
					probe := srv.next(t)
					if tr.Probe {
						tr, probe = probe, tr
					}
					assert.True(t, probe.Probe, "%+v", probe)
					assert.NoError(t, probe.Err)
				}
				assert.False(t, tr.Probe, "%+v", tr)
				assert.NoError(t, tr.Err)
				assert.Equal(t, int64(n), tr.Bytes)
				if name == "EDK2" {
					assert.Equal(t, 4, tr.Window)
					assert.Equal(t, 1468, tr.BlockSize)
				}
			}
		})
	}
}

// TestServerServeFirmwareOverPathWithLoss does the same where 2 % of the
// packets are lost, come twice or come late.
func TestServerServeFirmwareOverPathWithLoss(t *testing.T) {
	t.Parallel()

	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			srv := start(t, patterns(100_000))
			r, err := netsim.Listen(srv.port, netsim.Path{Loss: 0.02, Reorder: 0.02, Duplicate: 0.02, Seed: 3})
			require.NoError(t, err)
			t.Cleanup(func() { _ = r.Close() })
			got, err := m.fetch(t.Context(), r.Addr(), "100000")
			require.NoError(t, err)
			require.True(t, bytes.Equal(patterns(100_000)["100000"].Data, got), "content differs")
		})
	}
}

// TestServerServeFirmwareWithoutFile: firmware is told at once, with code 1.
func TestServerServeFirmwareWithoutFile(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(1))
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := m.fetch(t.Context(), srv.port, "autoexec.ipxe")
			var refused *pxemodel.TFTPError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, uint16(1), refused.Code)
		})
	}
}

// TestServerServeSurvivesTransferFunc: a panic of the caller's function ends
// neither the server nor the program.
func TestServerServeSurvivesTransferFunc(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(100), tftpd.WithTransferFunc(func(tftpd.Transfer) { panic("transfer function") }))
	_, err := new(pxemodel.IPXE).Fetch(t.Context(), srv.port, "missing")
	require.Error(t, err)
	for range 2 {
		got, err := new(pxemodel.IPXE).Fetch(t.Context(), srv.port, "100")
		require.NoError(t, err)
		require.Len(t, got, 100)
	}
}
