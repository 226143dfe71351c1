package tftpd

import (
	"bytes"
	"encoding/binary"
)

// The opcodes of RFC 1350 §5 and RFC 2347.
const (
	opRRQ   = 1
	opWRQ   = 2
	opDATA  = 3
	opACK   = 4
	opERROR = 5
	opOACK  = 6
)

// headerSize is the length of the header of a DATA packet, in bytes.
const headerSize = 4

// opcode returns the opcode of a packet, 0 if it is too short to have one.
func opcode(b []byte) uint16 {
	if len(b) < headerSize {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// blockNumber returns the number that a DATA or ACK packet carries.
func blockNumber(b []byte) uint16 { return binary.BigEndian.Uint16(b[2:]) }

// putDataHeader makes b a DATA packet.
func putDataHeader(b []byte, block uint16) {
	binary.BigEndian.PutUint16(b, opDATA)
	binary.BigEndian.PutUint16(b[2:], block)
}

// errorPacket returns the ERROR packet that tells a client about err.
func errorPacket(err error) []byte {
	b := make([]byte, 0, 64)
	b = binary.BigEndian.AppendUint16(b, opERROR)
	b = binary.BigEndian.AppendUint16(b, uint16(codeFor(err)))
	b = append(b, textFor(err)...)
	return append(b, 0)
}

// cutNUL returns the text before the first NUL of b, or all of b.
func cutNUL(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
