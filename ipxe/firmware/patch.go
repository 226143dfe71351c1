package firmware

import (
	"bytes"
	"fmt"
)

const (
	// placeholder is a comment line in the script of every ipxedust program.
	placeholder = "\n#a8b7e61f1075c37a793f2f92cee89f7bba00c4a8d7842ce3d40b5889032d8881\n"

	// magic is how every iPXE script begins, with white space behind it.
	magic = "#!ipxe"

	// firstLine is how the embedded script begins.
	firstLine = magic + "\n"

	// maxScript bounds how far from the placeholder a script may reach, in
	// bytes. The one of ipxedust has 1713.
	maxScript = 16 << 10
)

// Patch returns a copy of program with the whole of its embedded script
// overwritten by script and padded with line breaks. Program must be an iPXE
// of ipxedust with the script stored uncompressed, as in its UEFI programs;
// otherwise, or if that is not so exactly once, the error matches
// [ErrNoScript]. A script that is longer than the old one is refused.
//
// A signature of program does not survive this.
func Patch(program, script []byte) ([]byte, error) {
	start, end, err := findScript(program)
	if err != nil {
		return nil, err
	}
	if len(script) > end-start {
		return nil, fmt.Errorf("script of %d bytes: the program has room for %d; a short one can chain to a long one", len(script), end-start)
	}
	if rest, ok := bytes.CutPrefix(script, []byte(magic)); !ok || len(rest) == 0 || !bytes.ContainsAny(rest[:1], " \t\r\n") {
		return nil, fmt.Errorf("script does not begin with the line %q", magic)
	}
	patched := bytes.Clone(program)
	rest := patched[start+copy(patched[start:end], script) : end]
	copy(rest, bytes.Repeat([]byte{'\n'}, len(rest)))
	return patched, nil
}

// findScript returns where the embedded script begins and ends: from its first
// line to the last line break of the text around the placeholder.
func findScript(program []byte) (start, end int, err error) {
	at := bytes.Index(program, []byte(placeholder))
	if at < 0 || at != bytes.LastIndex(program, []byte(placeholder)) {
		return 0, 0, fmt.Errorf("%w: placeholder not found exactly once", ErrNoScript)
	}
	from, to := at, at
	for from > max(0, at-maxScript) && isText(program[from-1]) {
		from--
	}
	for to < min(len(program), at+maxScript) && isText(program[to]) {
		to++
	}
	// Bytes before the first line and after the last may look like text.
	first := bytes.LastIndex(program[from:at+1], []byte(firstLine))
	last := bytes.LastIndexByte(program[at:to], '\n')
	if first < 0 {
		return 0, 0, fmt.Errorf("%w: no first line before the placeholder", ErrNoScript)
	}
	return from + first, at + last + 1, nil
}

func isText(b byte) bool { return b == '\n' || b == '\t' || b >= ' ' && b <= '~' }
