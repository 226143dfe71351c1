package pxemodel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Message types (RFC 2132 §9.6).
const (
	Discover byte = 1
	Offer    byte = 2
	Request  byte = 3
	Decline  byte = 4
	Ack      byte = 5
	Nak      byte = 6
	Release  byte = 7
	Inform   byte = 8
)

// Options that the models look at (RFC 2132, RFC 4578, RFC 3046, RFC 3004).
const (
	OptSubnetMask    byte = 1
	OptRouter        byte = 3
	OptDNS           byte = 6
	OptBootSize      byte = 13
	OptVendor        byte = 43
	OptRequested     byte = 50
	OptLease         byte = 51
	OptOverload      byte = 52
	OptMessageType   byte = 53
	OptServerID      byte = 54
	OptParameters    byte = 55
	OptMaxSize       byte = 57
	OptVendorClass   byte = 60
	OptClientID      byte = 61
	OptServerName    byte = 66
	OptBootFile      byte = 67
	OptUserClass     byte = 77
	OptRelay         byte = 82
	OptArch          byte = 93
	OptInterface     byte = 94
	OptMachineID     byte = 97
	OptIPXE          byte = 175
	optPad           byte = 0
	optEnd           byte = 255
	headerLen             = 236
	fixedLen              = headerLen + 4
	minimumReply          = 300
	flagBroadcast         = 0x8000
	opRequest        byte = 1
	opReply          byte = 2
	hardwareEthernet byte = 1
	macLen           byte = 6
)

const (
	portServer = 67
	portClient = 68
	portBoot   = 4011
)

// An Option is one DHCP option as it lay in the packet.
type Option struct {
	Code  byte
	Value []byte
}

// A Packet is a BOOTP or DHCP packet. An address that is zero in the packet
// is the zero [netip.Addr].
type Packet struct {
	Op      byte
	Hops    byte
	XID     uint32
	Secs    uint16
	Flags   uint16
	CIAddr  netip.Addr
	YIAddr  netip.Addr
	SIAddr  netip.Addr
	GIAddr  netip.Addr
	MAC     net.HardwareAddr
	SName   string // up to the first NUL
	File    string // up to the first NUL
	Options []Option
}

// Parse reads a packet the way firmware does: options in any order, end
// option or not. It fails for what no client could read.
func Parse(b []byte) (*Packet, error) {
	if len(b) < fixedLen {
		return nil, fmt.Errorf("%d bytes are too few for a DHCP packet", len(b))
	}
	if !bytes.Equal(b[headerLen:fixedLen], magic()) {
		return nil, errors.New("no magic cookie")
	}
	if b[1] != hardwareEthernet || b[2] != macLen {
		return nil, fmt.Errorf("hardware type %d with %d bytes of address", b[1], b[2])
	}
	p := &Packet{
		Op:     b[0],
		Hops:   b[3],
		XID:    binary.BigEndian.Uint32(b[4:]),
		Secs:   binary.BigEndian.Uint16(b[8:]),
		Flags:  binary.BigEndian.Uint16(b[10:]),
		CIAddr: parseAddr(b[12:16]),
		YIAddr: parseAddr(b[16:20]),
		SIAddr: parseAddr(b[20:24]),
		GIAddr: parseAddr(b[24:28]),
		MAC:    slices.Clone(net.HardwareAddr(b[28:34])),
		SName:  cutNUL(b[44:108]),
		File:   cutNUL(b[108:236]),
	}
	opts, err := parseOptions(b[fixedLen:])
	if err != nil {
		return nil, err
	}
	p.Options = opts
	if v := p.Get(OptOverload); len(v) == 1 {
		return p, p.readOverload(b, v[0])
	}
	return p, nil
}

// readOverload adds the options that lie in the file and sname fields
// (RFC 2132 §9.3).
func (p *Packet) readOverload(b []byte, where byte) error {
	for _, f := range []struct {
		bit      byte
		from, to int
		text     *string
	}{{1, 108, 236, &p.File}, {2, 44, 108, &p.SName}} {
		if where&f.bit == 0 {
			continue
		}
		more, err := parseOptions(b[f.from:f.to])
		if err != nil {
			return err
		}
		*f.text = ""
		p.Options = append(p.Options, more...)
	}
	return nil
}

// Get returns the value of an option, the parts of a repeated one joined
// (RFC 3396 §7), or nil when the packet has none.
func (p *Packet) Get(code byte) []byte {
	var v []byte
	for _, o := range p.Options {
		if o.Code == code {
			v = append(v, o.Value...)
			if v == nil {
				v = []byte{}
			}
		}
	}
	return v
}

// Has reports whether the packet has the option.
func (p *Packet) Has(code byte) bool {
	return slices.ContainsFunc(p.Options, func(o Option) bool { return o.Code == code })
}

// Type returns the message type, or zero for BOOTP.
func (p *Packet) Type() byte {
	if v := p.Get(OptMessageType); len(v) == 1 {
		return v[0]
	}
	return 0
}

// ServerID returns option 54, or the zero address.
func (p *Packet) ServerID() netip.Addr { return p.addr(OptServerID) }

// BootFile returns what EDK2 takes for the boot file: option 67 if there is
// one, otherwise the file field.
func (p *Packet) BootFile() string {
	if v := p.Get(OptBootFile); v != nil {
		return cutNUL(v)
	}
	return p.File
}

// addr returns the first address of an option.
func (p *Packet) addr(code byte) netip.Addr {
	if v := p.Get(code); len(v) >= 4 {
		return parseAddr(v[:4])
	}
	return netip.Addr{}
}

// Add appends an option, in parts if its value exceeds 255 bytes.
func (p *Packet) Add(code byte, value ...byte) {
	for len(value) > 255 {
		p.Options = append(p.Options, Option{code, value[:255]})
		value = value[255:]
	}
	p.Options = append(p.Options, Option{code, value})
}

// AddAddr appends an option that holds addresses.
func (p *Packet) AddAddr(code byte, addrs ...netip.Addr) {
	var v []byte
	for _, a := range addrs {
		v = append(v, a.AsSlice()...)
	}
	p.Add(code, v...)
}

// Marshal writes the packet, with an end option, padded with zeros to at
// least size bytes.
func (p *Packet) Marshal(size int) []byte {
	b := make([]byte, fixedLen, 576)
	b[0], b[1], b[2], b[3] = p.Op, hardwareEthernet, macLen, p.Hops
	binary.BigEndian.PutUint32(b[4:], p.XID)
	binary.BigEndian.PutUint16(b[8:], p.Secs)
	binary.BigEndian.PutUint16(b[10:], p.Flags)
	for i, a := range []netip.Addr{p.CIAddr, p.YIAddr, p.SIAddr, p.GIAddr} {
		copy(b[12+4*i:], a.AsSlice())
	}
	copy(b[28:44], p.MAC)
	copy(b[44:108], p.SName)
	copy(b[108:236], p.File)
	copy(b[headerLen:], magic())
	for _, o := range p.Options {
		b = append(b, o.Code, byte(len(o.Value)))
		b = append(b, o.Value...)
	}
	b = append(b, optEnd)
	for len(b) < size {
		b = append(b, 0)
	}
	return b
}

// String names the packet for a trace.
func (p *Packet) String() string {
	names := [...]string{"BOOTP", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"}
	name := fmt.Sprintf("type %d", p.Type())
	if int(p.Type()) < len(names) {
		name = names[p.Type()]
	}
	parts := []string{name, fmt.Sprintf("xid=%08x", p.XID)}
	add := func(show bool, format string, v any) {
		if show {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	add(p.CIAddr.IsValid(), "ciaddr=%v", p.CIAddr)
	add(p.YIAddr.IsValid(), "yiaddr=%v", p.YIAddr)
	add(p.SIAddr.IsValid(), "siaddr=%v", p.SIAddr)
	add(p.GIAddr.IsValid(), "giaddr=%v", p.GIAddr)
	add(p.Has(OptServerID), "54=%v", p.ServerID())
	add(p.Has(OptVendorClass), "60=%q", p.Get(OptVendorClass))
	add(p.Has(OptVendor), "43=%x", p.Get(OptVendor))
	add(p.BootFile() != "", "file=%q", p.BootFile())
	return strings.Join(parts, " ")
}

func parseOptions(b []byte) ([]Option, error) {
	var opts []Option
	for len(b) > 0 && b[0] != optEnd {
		if b[0] == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, fmt.Errorf("option %d runs past the end", b[0])
		}
		opts = append(opts, Option{b[0], slices.Clone(b[2 : 2+int(b[1])])})
		b = b[2+int(b[1]):]
	}
	return opts, nil
}

func magic() []byte { return []byte{99, 130, 83, 99} }

func parseAddr(b []byte) netip.Addr {
	if a := netip.AddrFrom4([4]byte(b)); !a.IsUnspecified() {
		return a
	}
	return netip.Addr{}
}

func cutNUL(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}
