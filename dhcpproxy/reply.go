package dhcpproxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// compose encodes the answer to req. It errs rather than shorten a name.
func compose(req *Request, o *Offer, to Path) ([]byte, Reason, error) {
	if err := o.validate(req); err != nil {
		return nil, ReasonOfferInvalid, err
	}
	vendor, err := vendorOptions(req, o)
	if err != nil {
		return nil, ReasonOfferInvalid, err
	}
	server := o.serverFor(req)
	b := header(req, o, server, to)
	b = appendOptions(b, req, o, server, vendor)
	relay := req.msg.Options[optionRelayAgent]
	if limit := maxReply(req.msg); len(b)+1 > limit {
		return nil, ReasonReplyTooLarge, fmt.Errorf("%d bytes, and the client takes %d", len(b)+1, limit)
	}
	if len(relay) > 0 { // RFC 3046 §2.2: all of it, last.
		b = appendOption(b, optionRelayAgent, relay)
	}
	b = append(b, optionEnd)
	if len(b) < minPayload {
		b = append(b, make([]byte, minPayload-len(b))...)
	}
	if len(b) > maxPayload {
		return nil, ReasonReplyTooLarge, fmt.Errorf("%d bytes do not fit an Ethernet frame", len(b))
	}
	return b, ReasonNone, nil
}

// serverFor returns the boot server's address.
func (o *Offer) serverFor(req *Request) netip.Addr {
	if o.Server.IsValid() {
		return o.Server
	}
	return req.Server
}

func (o *Offer) validate(req *Request) error {
	limit := maxFile
	if req.Client.IPXE() || req.Client == ClientHTTP {
		limit = 254
	}
	switch file := o.BootFile; {
	case o.Server.IsValid() && !isHost(o.Server):
		return fmt.Errorf("server %v not an IPv4 address of a host", o.Server)
	case len(file) > limit:
		return fmt.Errorf("boot file name of %d bytes, over %d: %q", len(file), limit, file)
	case strings.ContainsFunc(file, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("boot file name with control characters: %q", file)
	case req.Client == ClientHTTP && !isURL(file):
		return fmt.Errorf("boot file %q not an http or https URL", file)
	case file == "" && req.Client != ClientRaspberryPi && (o.Menu == nil || req.BootItem != nil):
		return errors.New("no boot file")
	}
	for code, value := range o.Options {
		if reserved(code) || len(value) == 0 || len(value) > 255 {
			return fmt.Errorf("option %d with %d bytes cannot be sent", code, len(value))
		}
	}
	return nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// reserved reports whether an option is the server's own to send, or belongs
// to the server that leases addresses.
func reserved(code uint8) bool {
	switch code {
	case optionPad, 1, 3, 6, optionHostname, optionBootFileSize, 15,
		optionTFTPServer, optionBootFile, optionRelayAgent, optionUUID, optionEnd:
		return true
	default:
		return code >= 50 && code <= 61
	}
}

// header encodes the fixed fields (RFC 2131 §2), with room for the options. The
// codec would shorten names, which validate has seen to, and takes as long for
// it as all else takes here.
func header(req *Request, o *Offer, server netip.Addr, to Path) []byte {
	in := req.msg
	b := make([]byte, headerLen, 2*minPayload)
	b[0], b[1], b[2] = byte(dhcpv4.OpcodeBootReply), byte(in.HWType), byte(len(in.ClientHWAddr))
	copy(b[4:8], in.TransactionID[:])
	binary.BigEndian.PutUint16(b[10:], in.Flags)
	if to.Remote.Addr() == broadcastAddr() {
		b[10] |= 0x80
	}
	if !req.discover {
		copy(b[12:16], in.ClientIPAddr.To4())
	}
	// The address at 16 stays zero, which is what makes this server a proxy.
	copy(b[20:24], server.AsSlice())
	copy(b[24:28], in.GatewayIPAddr.To4())
	copy(b[28:snameAt], in.ClientHWAddr)
	copy(b[snameAt:fileAt-1], server.String())
	if len(o.BootFile) <= maxFile {
		copy(b[fileAt:], o.BootFile)
	}
	copy(b[headerLen-4:], []byte{99, 130, 83, 99}) // The magic cookie.
	return b
}

// appendOptions encodes every option but the relay agent's, the message type
// first, where old code expects it.
func appendOptions(b []byte, req *Request, o *Offer, server netip.Addr, vendor []byte) []byte {
	typ, class := byte(dhcpv4.MessageTypeAck), vendorPXE
	if req.discover {
		typ = byte(dhcpv4.MessageTypeOffer)
	}
	if req.Client == ClientHTTP {
		class = vendorHTTP
	}
	b = appendOption(b, optionMessageType, []byte{typ})
	b = appendOption(b, optionServerID, serverID(req, server))
	b = appendOption(b, optionVendorClass, []byte(class))
	if uuid := req.msg.Options[optionUUID]; len(uuid) > 0 {
		b = appendOption(b, optionUUID, uuid)
	}
	if blocks := (o.BootFileSize + 511) / 512; req.Client == ClientUEFI && blocks > 0 && blocks <= 0xffff {
		b = appendOption(b, optionBootFileSize, binary.BigEndian.AppendUint16(nil, uint16(blocks)))
	}
	if len(vendor) > 0 {
		b = appendOption(b, optionVendor, vendor)
	}
	if req.wants(optionTFTPServer) {
		b = appendOption(b, optionTFTPServer, []byte(server.String()))
	}
	if o.BootFile != "" && (req.wants(optionBootFile) || len(o.BootFile) > maxFile) {
		name := []byte(o.BootFile)
		if req.Arch >= ArchX86EFI && req.Client != ClientHTTP && req.Client != ClientRaspberryPi {
			// EDK2 writes a NUL behind the name, on top of the next option.
			name = append(name, 0)
		}
		b = appendOption(b, optionBootFile, name)
	}
	if req.Client.IPXE() && o.Options[optionEtherboot] == nil {
		// iPXE takes the file name from the address server, which may have one
		// that nobody remembers, unless a proxy has a higher priority.
		b = appendOption(b, optionEtherboot, []byte{1, 1, 1})
	}
	if len(o.Options) == 0 {
		return b
	}
	for _, code := range slices.Sorted(maps.Keys(o.Options)) {
		if code != optionVendor {
			b = appendOption(b, code, o.Options[code])
		}
	}
	return b
}

// wants reports whether an answer should have option 66 or 67: the client
// asked for it, or its kind is known to take the name from nowhere else.
func (req *Request) wants(code byte) bool {
	switch req.Client {
	case ClientUBoot, ClientOther:
		return true
	case ClientHTTP:
		if code == optionBootFile {
			return true
		}
	case ClientRaspberryPi:
		if code == optionTFTPServer {
			return true
		}
	}
	return bytes.IndexByte(req.msg.Options[optionRequestList], code) >= 0
}

// serverID returns the value of option 54: the server's address, unless a
// relay agent wants to be asked in its place (RFC 5107 §4).
func serverID(req *Request, server netip.Addr) []byte {
	if req.discover && req.Relay.IsValid() {
		for tag, v := range suboptions(req.msg.Options[optionRelayAgent]) {
			if tag == 11 && len(v) == 4 && isHost(addrFrom(v)) {
				return v
			}
		}
	}
	return server.AsSlice()
}

// appendOption encodes one option, in several parts if it is long (RFC 3396).
func appendOption(b []byte, code byte, value []byte) []byte {
	for part := range slices.Chunk(value, 255) {
		b = append(append(b, code, byte(len(part))), part...)
	}
	return b
}

// maxReply returns how many bytes of BOOTP the client takes: what option 57
// says less the IP and UDP headers, and never less than RFC 2131 §2 demands.
func maxReply(msg *dhcpv4.DHCPv4) int {
	size := 576
	if v := msg.Options[optionMaxSize]; len(v) == 2 {
		size = max(size, int(binary.BigEndian.Uint16(v)))
	}
	return min(size-28, maxPayload)
}
