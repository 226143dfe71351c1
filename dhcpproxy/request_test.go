package dhcpproxy_test

import (
	"bytes"
	"encoding/binary"
	"net"
)

// A request builds a client's packet byte by byte, without the codec that the
// server uses.
type request struct {
	op, htype, hlen, hops byte
	xid                   uint32
	flags                 uint16
	ciaddr, giaddr        [4]byte
	mac                   net.HardwareAddr
	options               [][]byte // code and value; the length is added
	raw                   []byte   // appended to the options in place of END
}

var testMAC = net.HardwareAddr{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}

// discover returns a DISCOVER of firmware with the given architecture.
func discover(vendor string, arch uint16) *request {
	return &request{op: 1, htype: 1, hlen: 6, xid: 0x01020304, mac: testMAC, options: [][]byte{
		{53, 1},
		{55, 1, 3, 43, 60, 66, 67, 97},
		{57, 0x05, 0xc0},
		append([]byte{60}, vendor...),
		binary.BigEndian.AppendUint16([]byte{93}, arch),
		{94, 1, 3, 16},
		append([]byte{97, 0}, "0123456789abcdef"...),
	}}
}

// set replaces an option, or adds it.
func (r *request) set(code byte, value ...byte) *request {
	r.del(code)
	r.options = append(r.options, append([]byte{code}, value...))
	return r
}

func (r *request) setString(code byte, value string) *request { return r.set(code, []byte(value)...) }

func (r *request) del(code byte) *request {
	var kept [][]byte
	for _, o := range r.options {
		if o[0] != code {
			kept = append(kept, o)
		}
	}
	r.options = kept
	return r
}

// with changes a field.
func (r *request) with(change func(*request)) *request {
	change(r)
	return r
}

func (r *request) bytes() []byte {
	b := []byte{r.op, r.htype, r.hlen, r.hops}
	b = binary.BigEndian.AppendUint32(b, r.xid)
	b = binary.BigEndian.AppendUint16(b, 4) // secs
	b = binary.BigEndian.AppendUint16(b, r.flags)
	b = append(b, r.ciaddr[:]...)
	b = append(b, make([]byte, 8)...)
	b = append(b, r.giaddr[:]...)
	b = append(b, r.mac...)
	b = append(b, make([]byte, 16-len(r.mac)+64+128)...)
	b = append(b, 99, 130, 83, 99)
	for _, o := range r.options {
		b = append(b, o[0], byte(len(o)-1))
		b = append(b, o[1:]...)
	}
	if r.raw != nil {
		return append(b, r.raw...)
	}
	return append(b, 255)
}

// A reply is read strictly, again without the codec.
type reply struct {
	b     []byte
	codes []byte // in the order on the wire
	opts  map[byte][]byte
}

func parseReply(b []byte) reply {
	r := reply{b: b, opts: map[byte][]byte{}}
	if len(b) < 240 || !bytes.Equal(b[236:240], []byte{99, 130, 83, 99}) {
		return r
	}
	for o := b[240:]; len(o) > 1 && o[0] != 255; o = o[2+int(o[1]):] {
		if len(o) < 2+int(o[1]) {
			return r
		}
		r.codes = append(r.codes, o[0])
		r.opts[o[0]] = append(r.opts[o[0]], o[2:2+int(o[1])]...)
	}
	return r
}

func (r reply) file() string  { return field(r.b[108:236]) }
func (r reply) sname() string { return field(r.b[44:108]) }

func field(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}
