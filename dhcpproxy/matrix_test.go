package dhcpproxy_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// chainload is a policy with an answer for every client.
func chainload() *dhcpproxy.Chainload {
	return &dhcpproxy.Chainload{
		Known: func(context.Context, *dhcpproxy.Request) (bool, error) { return true, nil },
		Program: func(req *dhcpproxy.Request) (string, int64, bool) {
			switch req.Arch {
			case dhcpproxy.ArchX86BIOS:
				return "undionly.kpxe", 70_000, true
			case dhcpproxy.ArchX64EFI, dhcpproxy.ArchEBC, dhcpproxy.ArchX64HTTP:
				return "ipxe.efi", 1_000_000, true
			case dhcpproxy.ArchARM64UBoot, dhcpproxy.ArchOPAL:
				return "snp.efi", 512, true
			case dhcpproxy.ArchRaspberryPi:
				return "bootcode.bin", 0, true
			default:
				return "", 0, false
			}
		},
		Script:   func(req *dhcpproxy.Request) string { return "http://" + req.Server.String() + ":8090/script" },
		HTTPBase: func(req *dhcpproxy.Request) string { return "http://" + req.Server.String() + ":8090/boot/" },
	}
}

// Pieces of requests.
const (
	pxeBIOS = "PXEClient:Arch:00000:UNDI:002001"
	pxeX64  = "PXEClient:Arch:00007:UNDI:003016"
	httpX64 = "HTTPClient:Arch:00016:UNDI:003001"
)

var (
	ipxeFeatures = []byte{0xeb, 3, 1, 21, 1, 0x13, 1, 1, 0x15, 1, 1, 0x24, 1, 1, 0x27, 1, 1}
	ipxeNoHTTP   = []byte{0xeb, 3, 1, 0, 0, 0x15, 1, 1}
	piMAC        = net.HardwareAddr{0xdc, 0xa6, 0x32, 1, 2, 3}
	pi3MAC       = net.HardwareAddr{0xb8, 0x27, 0xeb, 1, 2, 3}
)

// A row is one line of the reply matrix.
type row struct {
	name    string
	request *request
	client  dhcpproxy.Client
	arch    dhcpproxy.Arch

	file      string // in the fixed field
	class     string
	on67      string // option 43, by hex or text
	on4011    string
	file67    string // option 67
	server66  string // option 66
	blocks    string // option 13
	not4011   bool   // the client never asks there
	silent    bool
	configure func(*dhcpproxy.Chainload)
}

const (
	loadNow = "\x06\x01\x08\xff"
	piMenu  = "\x06\x01\x03\x0a\x04\x00PXE\x09\x14\x00\x00\x11Raspberry Pi Boot\xff"
	pi3Menu = "\x06\x01\x03\x0a\x04\x00PXE\x09\x17\x00\x00\x14Raspberry Pi Boot   \xff"
	tftpX64 = "tftp://192.0.2.1/52:54:00:12:34:56/ipxe.efi"
	efiFile = "52:54:00:12:34:56/ipxe.efi"
	script  = "http://192.0.2.1:8090/script"
)

func matrix() []row {
	bios := func() *request { return discover(pxeBIOS, 0) }
	x64 := func() *request { return discover(pxeX64, 7) }
	const server = "192.0.2.1"
	return []row{
		{
			name: "A bios", request: bios(), client: dhcpproxy.ClientBIOS,
			file: "52:54:00:12:34:56/undionly.kpxe", on67: loadNow, on4011: loadNow,
			file67: "52:54:00:12:34:56/undionly.kpxe", server66: server,
		},
		{
			name: "B uefi", request: x64(), client: dhcpproxy.ClientUEFI, arch: 7,
			file: efiFile, file67: efiFile + "\x00", server66: server, blocks: "\x07\xa2",
		},
		{
			name: "B uefi that does not ask for 66 and 67", client: dhcpproxy.ClientUEFI, arch: 7,
			request: x64().set(55, 1, 3), file: efiFile, blocks: "\x07\xa2",
		},
		{
			name: "B' uefi direct", request: x64(), client: dhcpproxy.ClientUEFI, arch: 7,
			file: efiFile, on67: loadNow, file67: efiFile + "\x00", server66: server, blocks: "\x07\xa2",
			configure: func(c *dhcpproxy.Chainload) { c.Direct = func(*dhcpproxy.Request) bool { return true } },
		},
		{
			name: "B several architectures, the first unknown", client: dhcpproxy.ClientUEFI, arch: 9,
			request: x64().set(93, 0x12, 0x34, 0, 9, 0, 7), file: efiFile, file67: efiFile + "\x00", server66: server, blocks: "\x07\xa2",
		},
		{
			name: "C ipxe in a bios rom, with http", client: dhcpproxy.ClientIPXE,
			request: bios().setString(77, "iPXE").set(175, ipxeFeatures...),
			file:    script, file67: script, server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "C ipxe without http", client: dhcpproxy.ClientIPXE, arch: 7,
			request: x64().setString(77, "iPXE").set(175, ipxeNoHTTP...),
			file:    tftpX64, file67: tftpX64 + "\x00", server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "C ipxe, user class as rfc 3004 has it, no option 175", client: dhcpproxy.ClientIPXE, arch: 7,
			request: x64().setString(77, "\x04iPXE"),
			file:    tftpX64, file67: tftpX64 + "\x00", server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "C ipxe by option 175 alone", client: dhcpproxy.ClientIPXE, arch: 7,
			request: x64().setString(77, "somebody").set(175, ipxeFeatures...),
			file:    script, file67: script + "\x00", server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "C ipxe to be replaced", client: dhcpproxy.ClientIPXE, arch: 7,
			request: x64().setString(77, "iPXE").set(175, ipxeFeatures...),
			file:    tftpX64, file67: tftpX64 + "\x00", server66: server, on67: loadNow, on4011: loadNow,
			configure: func(c *dhcpproxy.Chainload) { c.Replace = func(*dhcpproxy.Request) bool { return true } },
		},
		{
			name: "C ipxe with http, no program for it", client: dhcpproxy.ClientIPXE, arch: 39,
			request: discover("PXEClient:Arch:00039", 39).setString(77, "iPXE").set(175, ipxeFeatures...),
			file:    script, file67: script + "\x00", server66: server, on67: loadNow, on4011: loadNow,
			configure: func(c *dhcpproxy.Chainload) { c.Replace = func(*dhcpproxy.Request) bool { return true } },
		},
		{
			name: "D marked ipxe that inherited the vendor class of http boot", client: dhcpproxy.ClientChained, arch: 7,
			request: x64().setString(60, httpX64).setString(77, "Tinkerbell"),
			file:    script, file67: script + "\x00", server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "D marked ipxe, raw", client: dhcpproxy.ClientChained, arch: 7,
			request: x64().setString(77, "Tinkerbell").set(175, ipxeNoHTTP...),
			file:    script, file67: script + "\x00", server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "D marked ipxe, rfc 3004, second of two", client: dhcpproxy.ClientChained,
			request: bios().setString(77, "\x04iPXE\x09pixiecore"),
			file:    script, file67: script, server66: server, on67: loadNow, on4011: loadNow,
		},
		{
			name: "D script url that only option 67 can hold", client: dhcpproxy.ClientChained,
			request: bios().setString(77, "pixiecore"),
			file67:  "http://192.0.2.1/" + strings.Repeat("x", 237), server66: server, on67: loadNow, on4011: loadNow,
			configure: func(c *dhcpproxy.Chainload) {
				c.Script = func(*dhcpproxy.Request) string { return "http://192.0.2.1/" + strings.Repeat("x", 237) }
			},
		},
		{
			name: "E http boot", request: discover(httpX64, 16).set(55, 1, 3), client: dhcpproxy.ClientHTTP, arch: 16,
			class: "HTTPClient", not4011: true,
			file: "http://192.0.2.1:8090/boot/52:54:00:12:34:56/ipxe.efi", file67: "http://192.0.2.1:8090/boot/52:54:00:12:34:56/ipxe.efi",
		},
		{
			name: "F raspberry pi by option 97", client: dhcpproxy.ClientRaspberryPi, arch: 41,
			request: bios().setString(97, "\x00RPi4\x03\x11\x03\x11\x0c\xa6\x32\x01\x12\x34\x56\x78").set(55, 43, 60),
			file:    "52:54:00:12:34:56/bootcode.bin", on67: piMenu, on4011: piMenu, server66: server,
		},
		{
			name: "F raspberry pi by ethernet address", client: dhcpproxy.ClientRaspberryPi, arch: 41,
			request: bios().with(func(r *request) { r.mac = piMAC }).set(55, 43),
			file:    "dc:a6:32:01:02:03/bootcode.bin", on67: piMenu, on4011: piMenu, server66: server,
		},
		{
			name: "F raspberry pi 3", client: dhcpproxy.ClientRaspberryPi, arch: 41,
			request: bios().with(func(r *request) { r.mac = pi3MAC }).set(55, 43),
			file:    "b8:27:eb:01:02:03/bootcode.bin", on67: pi3Menu, on4011: pi3Menu, server66: server,
		},
		{
			name: "G u-boot", request: discover("U-Boot.armv8", 22).set(55, 1), client: dhcpproxy.ClientUBoot, arch: 22,
			file: "52:54:00:12:34:56/snp.efi", file67: "52:54:00:12:34:56/snp.efi\x00", server66: server,
		},
		{
			name: "other, open firmware", request: discover("PXEClient", 14).set(55, 1), client: dhcpproxy.ClientOther, arch: 14,
			file: "52:54:00:12:34:56/snp.efi", file67: "52:54:00:12:34:56/snp.efi\x00", server66: server,
		},
		{
			name: "H machine not known", request: x64(), client: dhcpproxy.ClientUEFI, arch: 7, silent: true,
			configure: func(c *dhcpproxy.Chainload) {
				c.Known = func(context.Context, *dhcpproxy.Request) (bool, error) { return false, nil }
			},
		},
		{name: "H no program for the architecture", request: discover("PXEClient", 10), client: dhcpproxy.ClientUEFI, arch: 10, silent: true},
		{
			name: "H nobody is known to the zero policy", request: x64(), client: dhcpproxy.ClientUEFI, arch: 7, silent: true,
			configure: func(c *dhcpproxy.Chainload) { *c = dhcpproxy.Chainload{} },
		},
		{
			name: "H marked ipxe without a script", client: dhcpproxy.ClientChained, arch: 7, silent: true,
			request: x64().setString(77, "Tinkerbell"), configure: func(c *dhcpproxy.Chainload) { c.Script = nil },
		},
		{
			name: "H http boot without a base url", client: dhcpproxy.ClientHTTP, arch: 16, silent: true, not4011: true,
			request: discover(httpX64, 16), configure: func(c *dhcpproxy.Chainload) { c.HTTPBase = nil },
		},
	}
}

func TestServerServe(t *testing.T) {
	t.Parallel()

	for _, row := range matrix() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()

			policy := chainload()
			if row.configure != nil {
				row.configure(policy)
			}
			e := make(events, 10)
			_, conn := serve(t, policy, e.option())

			ev, d := conn.send(t, e, row.request.bytes(), onPort67)
			if row.silent {
				require.Nil(t, d)
				assert.Equal(t, dhcpproxy.ReasonDeclined, ev.Reason)
				assert.ErrorIs(t, ev.Err, dhcpproxy.ErrDeclined)
				return
			}
			require.NotNil(t, d, "%+v", ev)
			assert.Equal(t, dhcpproxy.EventOffer, ev.Kind)
			row.check(t, parseReply(d.payload), "\x02", row.on67)
			row.checkEvent(t, ev)
			assert.Equal(t, byte(0x80), d.payload[10], "broadcast flag")

			if row.not4011 {
				return
			}
			row.request.set(53, 3).ciaddr = [4]byte{192, 0, 2, 77}
			ev, d = conn.send(t, e, row.request.bytes(), onPort4011)
			require.NotNil(t, d, "%+v", ev)
			assert.Equal(t, dhcpproxy.EventAck, ev.Kind)
			row.check(t, parseReply(d.payload), "\x05", row.on4011)
			row.checkEvent(t, ev)
			assert.Equal(t, []byte{192, 0, 2, 77}, d.payload[12:16], "ciaddr is copied")
			assert.Equal(t, byte(0), d.payload[10], "no broadcast flag")
		})
	}
}

// check compares an answer with its row, field by field.
func (r *row) check(t *testing.T, got reply, typ, vendor string) {
	t.Helper()
	b, class := got.b, r.class
	if class == "" {
		class = "PXEClient"
	}
	assert.GreaterOrEqual(t, len(b), 300)
	assert.Equal(t, []byte{2, 1, 6, 0, 1, 2, 3, 4, 0, 0}, b[:10], "op, htype, hlen, hops, xid, secs")
	assert.Equal(t, []byte{0, 0, 0, 0, 192, 0, 2, 1, 0, 0, 0, 0}, b[16:28], "yiaddr, siaddr, giaddr")
	assert.Equal(t, []byte(r.request.mac), b[28:34])
	assert.Equal(t, "192.0.2.1", got.sname())
	assert.Equal(t, r.file, got.file())

	assert.Equal(t, byte(53), got.codes[0], "the message type comes first")
	want := map[byte]string{
		53: typ, 54: "\xc0\x00\x02\x01", 60: class, 97: string(parseReply(r.request.bytes()).opts[97]),
		43: vendor, 13: r.blocks, 66: r.server66, 67: r.file67,
	}
	if r.client.IPXE() {
		want[175] = "\x01\x01\x01"
	}
	for code, value := range want {
		assert.Equal(t, value, string(got.opts[code]), "option %d", code)
		if value == "" {
			assert.NotContains(t, got.opts, code)
		}
		delete(got.opts, code)
	}
	assert.Empty(t, got.opts, "options beyond those expected")
}

func (r *row) checkEvent(t *testing.T, ev dhcpproxy.Event) {
	t.Helper()
	assert.Equal(t, r.client, ev.Client)
	assert.Equal(t, r.arch, ev.Arch)
	assert.Equal(t, r.request.mac.String(), ev.MAC.String())
	assert.Equal(t, "lab0", ev.Interface)
	assert.Equal(t, netip.MustParseAddr("192.0.2.1"), ev.Server)
	assert.Equal(t, max(r.file, strings.TrimRight(r.file67, "\x00")), ev.BootFile)
	assert.NoError(t, ev.Err)
}
