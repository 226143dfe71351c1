package isomaster

import (
	"strings"
	"time"
)

// continuation is the size of a CE entry (SUSP 1.12 §5.1).
const continuation = 28

// maxField is the size of the longest field: its length is one byte.
const maxField = 255

// fields are the SUSP fields of one record, one behind the other.
type fields struct {
	data []byte
	ends []int // where in data each field ends
}

func (f *fields) reset() { f.data, f.ends = f.data[:0], f.ends[:0] }

// begin starts a field; end puts in its length.
func (f *fields) begin(signature string) {
	f.data = append(f.data, signature...)
	f.data = append(f.data, 0, 1)
}

func (f *fields) end() {
	start := 0
	if len(f.ends) > 0 {
		start = f.ends[len(f.ends)-1]
	}
	f.data[start+2] = byte(len(f.data) - start)
	f.ends = append(f.ends, len(f.data))
}

// sharing says that SUSP is in use, without bytes to skip (SUSP 1.12 §5.3).
func (f *fields) sharing() {
	f.begin("SP")
	f.data = append(f.data, 0xbe, 0xef, 0)
	f.end()
}

// extensions names Rock Ridge (RRIP 1.12 §4.3).
func (f *fields) extensions() {
	const id = "IEEE_P1282"
	const description = "THE IEEE P1282 PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS"
	const source = "PLEASE CONTACT THE IEEE STANDARDS DEPARTMENT, PISCATAWAY, NJ, USA FOR THE P1282 SPECIFICATION."
	f.begin("ER")
	f.data = append(f.data, byte(len(id)), byte(len(description)), byte(len(source)), 1)
	f.data = append(f.data, id+description+source...)
	f.end()
}

// attributes records mode, links, owner and inode number (RRIP 1.12 §4.1.1).
func (f *fields) attributes(mode, links, user, group, serial uint32) {
	f.begin("PX")
	for _, v := range [...]uint32{mode, links, user, group, serial} {
		f.data = append32(f.data, v)
	}
	f.end()
}

// device records the number of a device (RRIP 1.12 §4.1.2). Small ones are
// recorded as one word, which all readers understand, others as two, which
// Linux and BSD understand.
func (f *fields) device(major, minor uint32) {
	if major <= 0xfff && minor <= 0xff {
		major, minor = 0, major<<8|minor
	}
	f.begin("PN")
	f.data = append32(f.data, major)
	f.data = append32(f.data, minor)
	f.end()
}

// modified records the time of modification (RRIP 1.12 §4.1.6). Readers take
// it for the other times as well.
func (f *fields) modified(t time.Time) {
	const modify = 2
	short := shortTime(t)
	f.begin("TF")
	f.data = append(f.data, modify)
	f.data = append(f.data, short[:]...)
	f.end()
}

// name records the name (RRIP 1.12 §4.1.4).
func (f *fields) name(name string) {
	const header = 5
	for {
		part, flags := name, byte(0)
		if len(part) > maxField-header {
			part, flags = part[:maxField-header], goesOn
		}
		f.begin("NM")
		f.data = append(f.data, flags)
		f.data = append(f.data, part...)
		f.end()
		if name = name[len(part):]; name == "" {
			return
		}
	}
}

// target records where a symbolic link leads (RRIP 1.12 §4.1.3). Parts that
// are empty, as in "a//b", are recorded as such.
func (f *fields) target(target string) {
	const current, root = 2, 8
	l := components{fields: f}
	l.begin()
	defer f.end()
	if strings.HasPrefix(target, "/") {
		l.add(root, "")
		if target = target[1:]; target == "" {
			return
		}
	}
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case ".", "..":
			l.add(byte(current*len(part)), "") // Two dots are flag 4.
		default:
			l.addText(part)
		}
	}
}

// components are the parts of a link target, in SL fields.
type components struct {
	*fields

	flags int // where in data the flags of the field are
	room  int // in the field, in bytes, without that for a last component
}

// goesOn is the flag of SL, its components and NM which says that the next one
// belongs to the same text.
const goesOn = 1

func (l *components) begin() {
	l.fields.begin("SL")
	l.data = append(l.data, 0)
	l.flags, l.room = len(l.data)-1, maxField-5-2
}

// reserve begins another field unless this one has room for n bytes. What is
// before and behind the end of a field is then one component, of which the
// first part is empty: libarchive loses the slash between components there.
func (l *components) reserve(n int) {
	if l.room >= n {
		return
	}
	l.data = append(l.data, goesOn, 0)
	l.data[l.flags] = goesOn
	l.end()
	l.begin()
}

func (l *components) add(flags byte, text string) {
	l.reserve(2 + len(text))
	l.data = append(l.data, flags, byte(len(text)))
	l.data = append(l.data, text...)
	l.room -= 2 + len(text)
}

// addText adds a component, in parts if it does not fit.
func (l *components) addText(text string) {
	l.reserve(2 + min(len(text), 1))
	for len(text) > l.room-2 {
		part := text[:l.room-2]
		l.add(goesOn, part)
		text = text[len(part):]
		l.reserve(2 + 1)
	}
	l.add(0, text)
}
