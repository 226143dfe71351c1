//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// watch notes the steps of the one machine that boots, from the packets of
// this host's interfaces, and prints them as JSON when ctx ends.
func watch(ctx context.Context, stdout io.Writer) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(bigEndian(unix.ETH_P_ALL)))
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // Nothing is lost.
	// Reads end soon, so that the end of ctx is noticed.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50_000}); err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, "watching\n"); err != nil {
		return err
	}
	var w watcher
	buf := make([]byte, 1<<16)
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		default:
			w.packet(buf[:n], time.Now())
		}
	}
	return json.NewEncoder(stdout).Encode(w.steps)
}

// tftpPort is where TFTP is asked for files.
const tftpPort = 69

// bigEndian returns n with its two bytes exchanged.
func bigEndian(n uint16) uint16 { return n<<8 | n>>8 }

// A watcher makes steps of packets.
type watcher struct {
	steps []step
	port  uint16 // the machine's, of the last HTTP request
	next  uint32 // the sequence number that comes next in the response
}

// packet takes an IPv4 packet.
func (w *watcher) packet(b []byte, now time.Time) {
	if len(b) < 20 || b[0]>>4 != 4 || len(b) < int(b[0]&15)*4 {
		return
	}
	protocol, b := b[9], b[int(b[0]&15)*4:]
	switch {
	case protocol == unix.IPPROTO_UDP && len(b) > 8:
		w.datagram(binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), b[8:], now)
	case protocol == unix.IPPROTO_TCP && len(b) >= 20 && len(b) >= int(b[12]>>4)*4:
		w.segment(b, b[int(b[12]>>4)*4:], now)
	}
}

func (w *watcher) datagram(from, to uint16, b []byte, now time.Time) {
	switch {
	case to == 67 && len(b) > offEnd && b[offOp] == opRequest:
		w.request(b[offEnd:], now)
	case to == tftpPort && len(b) > 2 && b[1] == 1:
		file, _, _ := bytes.Cut(b[2:], []byte{0})
		w.add(stepTFTP, string(file), now)
	case from > 1023 && to > 1023 && len(b) > 4 && b[0] == 0 && b[1] == 3:
		w.data(now)
	}
}

// request tells firmware and iPXE by the options of a DHCP request. That of
// the guest is neither's.
func (w *watcher) request(options []byte, now time.Time) {
	switch has := func(class string) bool { return bytes.Contains(options, []byte(class)) }; {
	case !has("PXEClient"):
	case has("iPXE"), has("Tinkerbell"):
		w.add(stepIPXE, "", now)
	default:
		w.add(stepFirmware, "", now)
	}
}

// segment takes one of TCP. What is sent again is not new data: a machine that
// starts its kernel acknowledges nothing any more.
func (w *watcher) segment(head, payload []byte, now time.Time) {
	if rest, ok := bytes.CutPrefix(payload, []byte("GET ")); ok {
		path, _, _ := bytes.Cut(rest, []byte(" "))
		w.add(stepHTTP, string(path), now)
		w.port, w.next = binary.BigEndian.Uint16(head), binary.BigEndian.Uint32(head[8:])
		return
	}
	end := binary.BigEndian.Uint32(head[4:]) + uint32(len(payload))
	if len(payload) > 0 && binary.BigEndian.Uint16(head[2:]) == w.port && int32(end-w.next) > 0 {
		w.next = end
		w.data(now)
	}
}

func (w *watcher) add(kind, name string, now time.Time) {
	w.steps = append(w.steps, step{Kind: kind, Name: name, At: now})
}

// data notes that data of the last step's file came.
func (w *watcher) data(now time.Time) {
	if len(w.steps) > 0 {
		w.steps[len(w.steps)-1].Until = now
	}
}
