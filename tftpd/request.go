package tftpd

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	maxRequestSize = 512 // RFC 2347: a request fits the default block.
	minBlockSize   = 8   // RFC 2348
	maxBlockSize   = 65464
	maxWindow      = 32767 // Half the block numbers, so that old ones are told from new.

	defaultBlockSize = 512
)

// A request is what a client asked for, in the form that handlers get.
type request struct {
	name     string // clean, valid in the sense of fs.ValidPath
	netascii bool
	options  []option // those known and well formed, in the order asked
}

// An option is one that the client asked for (RFC 2347).
type option struct {
	name  string // lower case
	value int64
}

// A requestError says why a packet is not a request that can be served, and
// what to tell its sender.
type requestError struct {
	code   Code
	silent bool // Tell it nothing.
	why    string
}

func (e *requestError) Error() string { return e.why }

// parseRequest reads a packet that arrived on the port for requests. The error
// is a *requestError, or ErrWriteRefused with the name that was to be written.
func parseRequest(b []byte) (request, error) {
	if len(b) > maxRequestSize {
		return request{}, &requestError{silent: true, why: "packet longer than a request may be"}
	}
	switch op := opcode(b); op {
	case opRRQ, opWRQ:
	case opDATA, opACK, opOACK:
		return request{}, &requestError{code: CodeUnknownTransferID, why: fmt.Sprintf("opcode %d is for a transfer", op)}
	default: // An ERROR must not be answered (RFC 1350 §2); noise is not worth it.
		return request{}, &requestError{silent: true, why: fmt.Sprintf("opcode %d is not a request", op)}
	}
	fields := splitFields(b[2:])
	if len(fields) < 2 {
		return request{}, &requestError{code: CodeIllegalOperation, why: "request has no mode"}
	}
	req := request{name: cleanName(fields[0])}
	switch mode := string(fields[1]); {
	case binary.BigEndian.Uint16(b) == opWRQ:
		return req, ErrWriteRefused
	case strings.EqualFold(mode, "octet"):
	case strings.EqualFold(mode, "netascii"):
		req.netascii = true
	default:
		return req, &requestError{code: CodeIllegalOperation, why: fmt.Sprintf("mode %q is not served", mode)}
	}
	if req.name == "" {
		return req, &requestError{code: CodeNotFound, why: fmt.Sprintf("file name %q is not valid", fields[0])}
	}
	req.options = parseOptions(fields[2:])
	return req, nil
}

// splitFields splits b at its NULs. The last one may be missing.
func splitFields(b []byte) [][]byte {
	fields := bytes.Split(b, []byte{0})
	if last := len(fields) - 1; len(fields[last]) == 0 {
		fields = fields[:last]
	}
	return fields
}

// cleanName returns the path that a client means by raw, or "" if there is
// none. Windows' boot manager writes backslashes, and some ROMs of Intel's
// append the 0xFF that ends their DHCP options.
func cleanName(raw []byte) string {
	name := string(bytes.TrimRight(raw, "\xff"))
	name = strings.ReplaceAll(name, `\`, "/")
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" || !fs.ValidPath(name) {
		return ""
	}
	return name
}

// parseOptions reads pairs of name and value. What is not understood is left
// out, which tells the client that it was not accepted (RFC 2347).
func parseOptions(fields [][]byte) []option {
	var options []option
	seen := make(map[string]bool, 4)
	for ; len(fields) >= 2; fields = fields[2:] {
		name := strings.ToLower(string(fields[0]))
		value, err := strconv.ParseUint(string(fields[1]), 10, 63)
		if err != nil || seen[name] || !acceptable(name, int64(value)) {
			continue
		}
		seen[name] = true
		options = append(options, option{name, int64(value)})
	}
	return options
}

func acceptable(name string, value int64) bool {
	switch name {
	case "blksize":
		return value >= minBlockSize
	case "timeout":
		return value >= 1 && value <= 255
	case "windowsize":
		return value >= 1 && value <= 65535
	default:
		return name == "tsize"
	}
}

// Terms are what a transfer runs under, after negotiation.
type terms struct {
	blockSize int
	window    int
	timeout   time.Duration // 0 unless the client set it
	oack      []byte        // the packet that tells the client; nil if it set no option
	sized     bool          // The client was told the size.
}

// negotiate answers the options of req for a file of the given size: only what
// was asked for, in that order, never with more than was asked for. In netascii
// none is accepted: neither the size nor the place of a byte in the converted
// file is known before it was sent.
func negotiate(req request, size int64, cfg *config) terms {
	t := terms{blockSize: defaultBlockSize, window: 1}
	if req.netascii || len(req.options) == 0 {
		return t
	}
	t.oack = binary.BigEndian.AppendUint16(nil, opOACK)
	for _, o := range req.options {
		value := o.value
		switch o.name {
		case "blksize":
			value = min(value, int64(cfg.blockSize))
			t.blockSize = int(value)
		case "timeout":
			t.timeout = time.Duration(value) * time.Second
		case "tsize":
			value = size
			t.sized = true
		case "windowsize":
			value = min(value, int64(cfg.window))
			t.window = int(value)
		}
		t.oack = append(append(t.oack, o.name...), 0)
		t.oack = append(strconv.AppendInt(t.oack, value, 10), 0)
	}
	return t
}
