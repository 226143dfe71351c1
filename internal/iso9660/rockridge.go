package iso9660

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	maxContinuations = 100
	maxContinuation  = 32 << 10
	maxContinued     = 256 << 20 // of one image
)

// rockRidge is what the system use entries of one record say.
type rockRidge struct {
	name  []byte // of NM
	named bool   // whether NM is complete
	hasNM bool

	target  []byte // of SL
	hasSL   bool
	partial bool // whether the last component of target goes on
	started bool // whether target has a component
	atRoot  bool // whether the last one is the root, which ends in a slash

	mode     uint32 // of PX
	uid, gid uint32
	serial   uint32
	hasPX    bool

	high, low uint32 // of PN
	hasPN     bool

	seconds int64 // of TF
	nanos   int32
	hasTF   bool

	child     uint32 // of CL
	hasCL     bool
	relocated bool // RE
	strange   byte

	sharing bool // SP, so this is the root of a tree with SUSP
	skip    int  // of SP
	ridge   bool // ER names Rock Ridge
}

func (x *rockRidge) reset() {
	*x = rockRidge{name: x.name[:0], target: x.target[:0]}
}

// parse reads a system use area and what continues it. Read returns a
// continuation area, which is valid until the next call.
func (x *rockRidge) parse(area []byte, read func(block, off, size uint32) ([]byte, error)) error {
	x.reset()
	for range 1 + maxContinuations { // The first area is not a continuation.
		next, err := x.entries(area)
		if err != nil {
			return err
		}
		if next == nil {
			return nil
		}
		block, off, size := binary.LittleEndian.Uint32(next[4:]), binary.LittleEndian.Uint32(next[12:]), binary.LittleEndian.Uint32(next[20:])
		if area, err = read(block, off, size); err != nil {
			return fmt.Errorf("continuation at block %d: %w", block, err)
		}
	}
	return fmt.Errorf("more than %d continuation areas", maxContinuations)
}

// entries reads one area. It returns the CE entry in it.
func (x *rockRidge) entries(area []byte) (next []byte, err error) {
	for len(area) >= 4 {
		n := int(area[2])
		if n < 4 || n > len(area) {
			return next, nil // What is no entry pads the area, as Linux has it.
		}
		e := area[:n]
		area = area[n:]
		switch signature := string(e[:2]); {
		case signature == "ST":
			return next, nil
		case signature == "CE" && n >= 28:
			next = e
		default:
			if err := x.entry(signature, e); err != nil {
				return nil, fmt.Errorf("%s: %w", signature, err)
			}
		}
	}
	return next, nil
}

// entry reads one entry, of at least four bytes.
func (x *rockRidge) entry(signature string, e []byte) error {
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(e[at:]) }
	switch {
	case signature == "SP" && len(e) >= 7:
		x.sharing, x.skip = e[4] == 0xbe && e[5] == 0xef, int(e[6])
	case signature == "ER" && len(e) >= 8:
		x.ridge = x.ridge || isRockRidge(e[8:min(len(e), 8+int(e[4]))])
	case signature == "PX" && len(e) >= 36:
		x.hasPX, x.mode, x.uid, x.gid = true, word(4), word(20), word(28)
		if len(e) >= 44 {
			x.serial = word(36)
		}
	case signature == "PN" && len(e) >= 20:
		x.hasPN, x.high, x.low = true, word(4), word(12)
	case signature == "NM" && len(e) >= 5:
		return x.addName(e[4], e[5:])
	case signature == "SL" && len(e) >= 5:
		x.hasSL = true
		return x.addTarget(e[5:])
	case signature == "TF" && len(e) >= 5:
		x.times(e[4], e[5:])
	case signature == "CL" && len(e) >= 12:
		x.hasCL, x.child = true, word(4)
	case signature == "RE":
		x.relocated = true
	case signature == "ZF":
		x.strange = strangeZisofs
	case signature == "SF":
		x.strange = strangeSparse
	}
	return nil
}

// isRockRidge says whether id, from an ER entry, stands for a version of Rock
// Ridge (RRIP 1.12 §4.3).
func isRockRidge(id []byte) bool {
	return bytes.HasPrefix(id, []byte("RRIP_1991A")) || bytes.HasPrefix(id, []byte("IEEE_P1282")) || bytes.HasPrefix(id, []byte("IEEE_1282"))
}

// addName takes what an NM entry holds (RRIP 1.12 §4.1.4).
func (x *rockRidge) addName(flags byte, name []byte) error {
	const goesOn, current, parent = 1, 2, 4
	if x.named || flags&(current|parent) != 0 { // Those names are for the records of the directory itself and the one above.
		return nil
	}
	if len(x.name)+len(name) > maxName {
		return fmt.Errorf("name of more than %d bytes", maxName)
	}
	x.name = append(x.name, name...)
	x.hasNM, x.named = true, flags&goesOn == 0
	return nil
}

// addTarget takes what an SL entry holds (RRIP 1.12 §4.1.3).
func (x *rockRidge) addTarget(components []byte) error {
	const goesOn, current, parent, root = 1, 2, 4, 8
	for len(components) >= 2 {
		flags, n := components[0], int(components[1])
		if 2+n > len(components) {
			return nil // As genisoimage writes long targets, whose rest is lost.
		}
		text := components[2 : 2+n]
		components = components[2+n:]
		if !x.partial && x.started && !x.atRoot { // An empty component stands between two slashes.
			x.target = append(x.target, '/')
		}
		x.started, x.atRoot = true, flags&root != 0
		switch {
		case flags&current != 0:
			x.target = append(x.target, '.')
		case flags&parent != 0:
			x.target = append(x.target, ".."...)
		case flags&root != 0:
			x.target = append(x.target[:0], '/')
		default:
			x.target = append(x.target, text...)
		}
		x.partial = flags&goesOn != 0
		if len(x.target) > maxPath {
			return fmt.Errorf("target of more than %d bytes", maxPath)
		}
	}
	return nil
}

// times takes the time of modification from a TF entry (RRIP 1.12 §4.1.6).
func (x *rockRidge) times(flags byte, stamps []byte) {
	const creation, modify, long = 1, 2, 0x80
	if flags&modify == 0 {
		return
	}
	width := 7
	if flags&long != 0 {
		width = 17
	}
	if flags&creation != 0 {
		stamps = stamps[min(width, len(stamps)):]
	}
	if len(stamps) < width {
		return
	}
	x.hasTF = true
	if width == 7 {
		x.seconds, x.nanos = recordTime(stamps)
	} else {
		x.seconds, x.nanos = longTime(stamps)
	}
}

// device returns the numbers of PN. Writers put the major number into the
// high half, or both into the low half as dev_t of Linux has them.
func (x *rockRidge) device() (major, minor uint32) {
	if x.high == 0 && x.low > 0xff {
		return x.low >> 8 & 0xfff, x.low&0xff | x.low>>12&^0xff
	}
	return x.high, x.low
}
