package dhcpproxy

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// A Request is a boot request that passed every rule of the package comment.
// All of its strings and bytes were chosen by the client.
type Request struct {
	MAC         net.HardwareAddr
	UUID        [16]byte // option 97 (RFC 4578 §2.3) in the order in which it is written; zero if absent or not well-formed
	Archs       []Arch   // option 93, in the client's order
	Arch        Arch     // the first of Archs that is Known; ArchRaspberryPi for any Pi
	Client      Client
	VendorClass string   // option 60, such as "PXEClient:Arch:00007:UNDI:003016"
	UserClasses []string // option 77, whether raw or as RFC 3004 has it
	Features    Features // option 175
	Hostname    string   // option 12
	BootItem    *BootItem

	Relay     netip.Addr // the relay agent; invalid if there is none
	Interface string     // where the request arrived; empty if unknown
	Server    netip.Addr // this server's address as the client will be told
	Port      uint16     // the port it was sent to, 67 or 4011

	// Repeats is how many times, within the window of [WithLoopLimit], the
	// machine has already been offered the same file as this kind of client.
	// Retransmissions do not count. Looping reports that it reached the limit.
	Repeats int
	Looping bool

	Raw []byte // the whole packet, without UDP header

	msg      *dhcpv4.DHCPv4
	via      Path
	discover bool // a DISCOVER, to be answered with an OFFER
}

// Lengths and magic numbers of a BOOTP message (RFC 951, RFC 2131 §2).
const (
	headerLen  = 240                        // up to and with the magic cookie
	maxPayload = 1500 - 20 - 8              // what an Ethernet frame carries
	minPayload = 300                        // some relay agents drop less
	snameAt    = 44                         // 64 bytes
	fileAt     = 108                        // 128 bytes
	vendorPXE  = "PXEClient"                // option 60
	vendorHTTP = "HTTPClient"               // option 60
	vendorBoot = "U-Boot"                   // option 60 of U-Boot, unless configured
	maxFile    = headerLen - 4 - fileAt - 1 // bytes in the file field, without its NUL
)

// Options that are used by number, because the codec has no name for them or
// because a switch needs constants.
const (
	optionPad          = 0
	optionHostname     = 12
	optionBootFileSize = 13
	optionVendor       = 43
	optionOverload     = 52
	optionMessageType  = 53
	optionServerID     = 54
	optionRequestList  = 55
	optionMaxSize      = 57
	optionVendorClass  = 60
	optionTFTPServer   = 66
	optionBootFile     = 67
	optionUserClass    = 77
	optionRelayAgent   = 82
	optionArch         = 93
	optionUUID         = 97
	optionEtherboot    = 175
	optionEnd          = 255
)

// decode parses a copy of b, which the result refers to. It makes good what
// the codec leaves out: an END that is missing, and options that overflow into
// the file and sname fields (RFC 2132 §9.3, RFC 3396 §5).
func decode(b []byte) (msg *dhcpv4.DHCPv4, raw []byte, err error) {
	raw = append(append(make([]byte, 0, len(b)+1), b...), optionEnd)
	msg, err = dhcpv4.FromBytes(raw)
	if err != nil {
		return nil, nil, err
	}
	raw = raw[:len(b):len(b)]
	overload := msg.Options[optionOverload]
	if len(overload) != 1 {
		return msg, raw, nil
	}
	if overload[0]&1 != 0 {
		err = msg.Options.FromBytes(raw[fileAt : headerLen-4])
	}
	if overload[0]&2 != 0 && err == nil {
		err = msg.Options.FromBytes(raw[snameAt:fileAt])
	}
	return msg, raw, err
}

// newRequest fills in what can be read from msg alone.
func newRequest(msg *dhcpv4.DHCPv4, raw []byte, via Path, markers []string) *Request {
	opts := msg.Options
	req := &Request{
		MAC:         msg.ClientHWAddr,
		VendorClass: string(opts[optionVendorClass]),
		Hostname:    strings.TrimRight(string(opts[optionHostname]), "\x00"),
		Archs:       parseArchs(opts[optionArch]),
		UserClasses: parseUserClasses(opts[optionUserClass]),
		Port:        via.Local.Port(),
		Raw:         raw,
		msg:         msg,
		via:         via,
	}
	req.Arch = firstKnown(req.Archs)
	if b, ok := opts[optionEtherboot]; ok {
		req.Features = parseFeatures(b)
	}
	uuid := opts[optionUUID]
	req.UUID = parseUUID(uuid)
	if relay := addrFrom(msg.GatewayIPAddr); !relay.IsUnspecified() {
		req.Relay = relay
	}
	req.BootItem = parseBootItem(opts[optionVendor])
	req.Client = classify(req, string(opts[optionUserClass]), uuid, markers)
	if req.Client == ClientRaspberryPi {
		req.Arch = ArchRaspberryPi
	}
	return req
}

func parseArchs(b []byte) []Arch {
	archs := make([]Arch, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		archs = append(archs, Arch(binary.BigEndian.Uint16(b)))
	}
	return archs
}

// firstKnown returns the first architecture that has a name, else the first.
func firstKnown(archs []Arch) Arch {
	for _, a := range archs {
		if a.Known() {
			return a
		}
	}
	if len(archs) == 0 {
		return 0
	}
	return archs[0]
}

// parseUserClasses reads option 77. Where the lengths of RFC 3004 do not fit
// it is one raw string, which is how iPXE sends it.
func parseUserClasses(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	var classes []string
	for rest := b; len(rest) > 0; {
		n := int(rest[0])
		if n == 0 || n >= len(rest) {
			return []string{string(b)}
		}
		classes = append(classes, string(rest[1:1+n]))
		rest = rest[1+n:]
	}
	return classes
}

// parseBootItem finds the choice from a boot menu in option 43, or nil.
func parseBootItem(b []byte) *BootItem {
	for tag, v := range suboptions(b) {
		if tag == tagBootItem && len(v) == 4 {
			return &BootItem{Type: binary.BigEndian.Uint16(v), Layer: binary.BigEndian.Uint16(v[2:])}
		}
	}
	return nil
}

// addrFrom returns b as an IPv4 address, or the unspecified one.
func addrFrom(b []byte) netip.Addr {
	if len(b) != 4 {
		return netip.IPv4Unspecified()
	}
	return netip.AddrFrom4([4]byte(b))
}

// parseUUID reads option 97. Its first three fields come with their least
// significant byte first, as EFI and SMBIOS store them; firmware and iPXE both
// send it so.
func parseUUID(b []byte) (u [16]byte) {
	if len(b) != 17 || b[0] != 0 {
		return u
	}
	u = [16]byte(b[1:])
	slices.Reverse(u[:4])
	slices.Reverse(u[4:6])
	slices.Reverse(u[6:8])
	return u
}
