package pxemodel_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

// tap remembers what a model sends.
type tap struct {
	pxemodel.Wire

	sent []pxemodel.Datagram
}

func (w *tap) Send(d pxemodel.Datagram) error {
	w.sent = append(w.sent, d)
	return w.Wire.Send(d)
}

// captured returns a request that firmware sent.
func captured(t *testing.T, name string) *pxemodel.Packet {
	t.Helper()
	p, err := pxemodel.Parse(readHex(t, name))
	require.NoError(t, err)
	return p
}

func readHex(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "requests", name+".hex"))
	require.NoError(t, err)
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	require.NoError(t, err)
	return b
}

// describe lists what matters in a request, option by option. Transaction and
// addresses are another network's.
func describe(p *pxemodel.Packet, ignore ...byte) []string {
	lines := []string{fmt.Sprintf("flags %04x", p.Flags), fmt.Sprintf("ciaddr %v", p.CIAddr.IsValid())}
	for _, o := range p.Options {
		switch {
		case slices.Contains(ignore, o.Code):
		case o.Code == pxemodel.OptServerID, o.Code == pxemodel.OptRequested:
			lines = append(lines, fmt.Sprintf("%d: address", o.Code))
		case o.Code == pxemodel.OptClientID:
			lines = append(lines, fmt.Sprintf("%d: %d bytes", o.Code, len(o.Value)))
		default:
			lines = append(lines, fmt.Sprintf("%d: %x", o.Code, o.Value))
		}
	}
	return lines
}

// TestModelsSendWhatFirmwareSends compares the models' requests with captures.
func TestModelsSendWhatFirmwareSends(t *testing.T) {
	t.Parallel()

	noFile := func(_, p *pxemodel.Packet) {
		if p.Type() == pxemodel.Offer {
			p.File = ""
		}
	}
	menu := func(_, p *pxemodel.Packet) {
		p.Add(43, 6, 1, 3, 8, 7, 0x80, 0, 1, 10, 0, 0, 2, 9, 7, 0x80, 0, 4, 'b', 'o', 'o', 't', 10, 4, 0, 'P', 'X', 'E', 255)
	}
	efi := pxemodel.Machine{Arch: 7, UUID: uuid()}
	chained := &pxemodel.IPXE{Machine: efi, EFI: true, UserClass: "Tinkerbell", VendorClass: "PXEClient", HasAddress: true}
	tests := []struct {
		name   string
		client client
		shape  func(req, p *pxemodel.Packet)
		want   []string // captures, in the order of sending
		ignore []byte   // options that differ from build to build
	}{
		{"EDK2", edk2(), nothing, []string{"edk2-pxe-discover", "edk2-pxe-request", "edk2-pxe-binl"}, nil},
		{"HTTP boot", httpBoot(), httpClient, []string{"edk2-http-discover", "edk2-http-request"}, nil},
		{"iPXE BIOS ROM", ipxe(), menu, []string{"ipxe-bios-rom-discover", "ipxe-bios-rom-request"}, nil},
		{
			"iPXE EFI ROM", &pxemodel.IPXE{Machine: efi, EFI: true}, noFile,
			[]string{"ipxe-efi-rom-discover", "", "ipxe-efi-rom-proxyrequest"},
			nil,
		},
		{
			"iPXE chained", chained, noFile,
			[]string{"ipxe-efi-chained-discover", "ipxe-efi-chained-request"},
			[]byte{55, 175},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				l.serveAddresses()
				l.proxy("10.0.0.2", tt.shape)
				w := &tap{Wire: l.machine(1)}
				_, _ = tt.client.Boot(l.ctx, w)
				require.GreaterOrEqual(t, len(w.sent), len(tt.want))
				for i, name := range tt.want {
					if name == "" {
						continue
					}
					got, err := pxemodel.Parse(w.sent[i].Payload)
					require.NoError(t, err)
					assert.Equal(t, describe(captured(t, name), tt.ignore...), describe(got, tt.ignore...), name)
				}
			})
		})
	}
}

// TestPacketRoundTrip writes every captured request as it was read.
func TestPacketRoundTrip(t *testing.T) {
	t.Parallel()

	for _, name := range []string{
		"edk2-pxe-discover", "edk2-pxe-binl", "edk2-http-request", "ipxe-bios-rom-bootserver",
		"ipxe-bios-chained-discover", "ipxe-efi-chained-proxyrequest",
	} {
		assert.Equal(t, readHex(t, name), captured(t, name).Marshal(0), name)
	}
}

func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/requests/*-discover.hex")
	require.NoError(f, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add((&pxemodel.Packet{Op: 2, MAC: make([]byte, 6)}).Marshal(300))
	f.Fuzz(func(t *testing.T, b []byte) {
		pxemodel.Lint(b, 7)
		p, err := pxemodel.Parse(b)
		if err != nil {
			return
		}
		again, err := pxemodel.Parse(p.Marshal(0))
		if err == nil && again.Type() != p.Type() {
			t.Errorf("type %d became %d", p.Type(), again.Type())
		}
	})
}
