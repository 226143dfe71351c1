package pxemodel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"time"
)

// A Machine is what every firmware on one board has in common. The hardware
// address is that of its [Wire].
type Machine struct {
	Arch uint16 // option 93 (RFC 4578 §2.1)
	UUID []byte // option 97, 16 bytes; nil sends none
	Seed uint64 // for transaction ids
}

// session is one boot in progress.
type session struct {
	firmware string
	wire     Wire
	rng      *rand.Rand
	trace    *Trace
	start    time.Time
}

// reply is a packet for us, and where it came from.
type reply struct {
	*Packet

	src netip.AddrPort
	raw []byte
}

func newSession(firmware string, m *Machine, w Wire) *session {
	mac := binary.BigEndian.Uint64(append([]byte{0, 0}, w.HardwareAddr()...))
	return &session{
		firmware: firmware, wire: w, trace: newTrace(), start: time.Now(),
		rng: rand.New(rand.NewPCG(m.Seed, mac)), //nolint:gosec // Repeatable, not secret.
	}
}

// fail ends the boot as the firmware would.
func (s *session) fail(code, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	s.trace.Note("%s: %s", code, text)
	return &BootError{Firmware: s.firmware, Code: code, Text: text, Trace: s.trace}
}

// done fills in what every result has.
func (s *session) done(r *Result, address netip.Addr) *Result {
	r.Address, r.Elapsed, r.Trace = address, time.Since(s.start), s.trace
	s.trace.Note("boots %s (%s)", r.URL(), r.Via)
	return r
}

// request starts a packet from the client.
func (s *session) request(xid uint32, flags uint16) *Packet {
	return &Packet{Op: opRequest, XID: xid, Flags: flags, MAC: s.wire.HardwareAddr()}
}

// send sends a packet and writes it down.
func (s *session) send(port uint16, dst netip.AddrPort, p *Packet) {
	s.trace.Note("> %v from %d: %v", dst, port, p)
	// A card that cannot send is a loss like any other.
	_ = s.wire.Send(Datagram{Src: netip.AddrPortFrom(netip.Addr{}, port), Dst: dst, Payload: p.Marshal(0)})
}

// refuse writes down why a reply was not taken.
func (s *session) refuse(r *reply, format string, args ...any) {
	s.trace.Note("  refused: %s: from %v: %v", fmt.Sprintf(format, args...), r.src, r.Packet)
}

// listen hands every reply to port with our transaction and address to take,
// until take returns true or the time is over; it reports which.
func (s *session) listen(ctx context.Context, until time.Time, port uint16, xid uint32, take func(*reply) bool) (bool, error) {
	for {
		d, err := s.wire.Receive(ctx, until)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		p, err := Parse(d.Payload)
		if err != nil {
			s.trace.Note("  refused: %v: %d bytes from %v", err, len(d.Payload), d.Src)
			continue
		}
		r := &reply{p, d.Src, d.Payload}
		switch {
		case d.Dst.Port() != port:
			s.refuse(r, "port %d is closed", d.Dst.Port())
		case p.Op != opReply:
			// Somebody else's broadcast; a trace would only get longer.
		case p.XID != xid || !slices.Equal(p.MAC, s.wire.HardwareAddr()):
			// A reply for somebody else.
		default:
			s.trace.Note("< %v: %v", d.Src, p)
			if take(r) {
				return true, nil
			}
		}
	}
}

// lease asks the address server for the address that it offered, in all waits,
// and configures the wire. The second result tells that the server said no.
func (s *session) lease(ctx context.Context, build func(extra ...Option) *Packet, offer *reply, waits []time.Duration) (*reply, bool, error) {
	req := build(Option{OptServerID, offer.ServerID().AsSlice()}, Option{OptRequested, offer.YIAddr.AsSlice()})
	var ack *reply
	for _, wait := range waits {
		s.send(portClient, everybody(), req)
		_, err := s.listen(ctx, time.Now().Add(wait), portClient, req.XID, func(r *reply) bool {
			switch {
			case r.src.Port() != portServer || r.ServerID() != offer.ServerID():
				s.refuse(r, "not the server that was asked")
			case r.Type() == Ack && r.YIAddr == offer.YIAddr, r.Type() == Nak:
				ack = r
			default:
				s.refuse(r, "not an acknowledgement of the address")
			}
			return ack != nil
		})
		if err != nil {
			return nil, false, err
		}
		if ack != nil {
			break
		}
	}
	if ack == nil || ack.Type() == Nak {
		return nil, ack != nil, nil
	}
	bits := 24
	if m := ack.Get(OptSubnetMask); len(m) == 4 {
		bits = netmaskBits(m)
	}
	s.wire.Configure(netip.PrefixFrom(ack.YIAddr, bits), ack.addr(OptRouter))
	return ack, false, nil
}

func netmaskBits(m []byte) int {
	bits := 0
	for v := binary.BigEndian.Uint32(m); v&(1<<31) != 0; v <<= 1 {
		bits++
	}
	return bits
}

func everybody() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), portServer)
}

// seconds returns a schedule of waits.
func seconds(n ...int) []time.Duration {
	waits := make([]time.Duration, len(n))
	for i, s := range n {
		waits[i] = time.Duration(s) * time.Second
	}
	return waits
}

// machineID encodes option 97 (RFC 4578 §2.3).
func machineID(uuid []byte) []byte { return append([]byte{0}, uuid...) }

func uint16Bytes(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
