package pxemodel_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

func TestLint(t *testing.T) {
	t.Parallel()

	req := &pxemodel.Packet{Op: 1, XID: 1, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	good := func() *pxemodel.Packet {
		return proxyReply(req, pxemodel.Offer, netip.MustParseAddr("10.0.0.2"))
	}
	assert.Nil(t, pxemodel.Lint(good().Marshal(300), 7))

	tests := []struct {
		want  string
		spoil func(p *pxemodel.Packet) []byte
	}{
		{"less than 300", func(p *pxemodel.Packet) []byte { return p.Marshal(0) }},
		{"not BOOTREPLY", func(p *pxemodel.Packet) []byte { p.Op = 1; return p.Marshal(300) }},
		{"no address", func(p *pxemodel.Packet) []byte { p.YIAddr = p.SIAddr; return p.Marshal(300) }},
		{"message type is 0", func(p *pxemodel.Packet) []byte { without(p, 53); return p.Marshal(300) }},
		{"not the first option", func(p *pxemodel.Packet) []byte {
			p.Options[0], p.Options[1] = p.Options[1], p.Options[0]
			return p.Marshal(300)
		}},
		{"option 54", func(p *pxemodel.Packet) []byte { without(p, 54); return p.Marshal(300) }},
		{"option 60 is", func(p *pxemodel.Packet) []byte { without(p, 60); return p.Marshal(300) }},
		{"address server", func(p *pxemodel.Packet) []byte { p.Add(51, 0, 0, 0, 9); return p.Marshal(300) }},
		{"appears twice", func(p *pxemodel.Packet) []byte { p.Add(53, 2); return p.Marshal(300) }},
		{"option 97 has", func(p *pxemodel.Packet) []byte { p.Add(97, 0); return p.Marshal(300) }},
		{"is empty", func(p *pxemodel.Packet) []byte { p.Add(97); return p.Marshal(300) }},
		{"option 82 without", func(p *pxemodel.Packet) []byte { p.Add(82, 1, 1, 1); return p.Marshal(300) }},
		{"not the last", func(p *pxemodel.Packet) []byte {
			p.GIAddr = p.SIAddr
			p.Add(82, 1, 1, 1)
			p.Add(43, 6, 1, 8, 255)
			return p.Marshal(300)
		}},
		{"option 43: no end tag", func(p *pxemodel.Packet) []byte { p.Add(43, 6, 1, 8); return p.Marshal(300) }},
		{"option 43: tag 6", func(p *pxemodel.Packet) []byte { p.Add(43, 6, 9); return p.Marshal(300) }},
		{"EDK2 overwrites", func(p *pxemodel.Packet) []byte {
			p.Add(67, []byte("boot.nbp")...)
			p.Add(97, make([]byte, 17)...)
			return p.Marshal(300)
		}},
		{"no end option", func(p *pxemodel.Packet) []byte {
			b := p.Marshal(300)
			for i := 240; i < len(b); i++ {
				if b[i] == 255 {
					b[i] = 0
				}
			}
			return b
		}},
		{"after the end", func(p *pxemodel.Packet) []byte { return append(p.Marshal(300), 'x') }},
		{"file has no NUL", func(p *pxemodel.Packet) []byte {
			p.File = strings.Repeat("x", 128)
			return p.Marshal(300)
		}},
		{"too few", func(p *pxemodel.Packet) []byte { return p.Marshal(0)[:100] }},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()

			faults := pxemodel.Lint(tt.spoil(good()), 7)
			require.NotEmpty(t, faults)
			assert.Contains(t, strings.Join(faults, "\n"), tt.want)
		})
	}
}
