package fat

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	shortBase = 8             // bytes of a short name before the dot
	shortSize = shortBase + 3 // bytes of a short name, without a dot
	maxUnits  = 255           // UTF-16 units of a long name
	maxTail   = 999999        // the largest number after a ~
)

// nameAll gives the files of one directory their names.
func nameAll(nodes []*node) error {
	folded := make(map[string]string, len(nodes)) // names by what they have in common in any case
	names := namer{taken: make(map[[shortSize]byte]bool, len(nodes)), next: make(map[string]int)}
	var lossy []*node
	for _, n := range nodes {
		name := path.Base(n.name)
		if err := checkName(name); err != nil {
			return fmt.Errorf("fat: %s: %w", n.name, err)
		}
		key := strings.ToUpper(name)
		if other, ok := folded[key]; ok {
			return fmt.Errorf("fat: %s: differs from %s only in case", n.name, other)
		}
		folded[key] = n.name
		short, exact := exactShort(name)
		if exact {
			n.short = short
			names.taken[short] = true
		} else {
			lossy = append(lossy, n)
		}
		if !exact || key != name {
			n.long = utf16.Encode([]rune(name))
		}
	}
	// Names that are short ones already come first: a made one must not be
	// that of another file.
	for _, n := range lossy {
		if err := names.make(n); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses names that FAT cannot carry.
func checkName(name string) error {
	if !utf8.ValidString(name) {
		return fmt.Errorf("name %q is not UTF-8", name)
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return errors.New("name ends in a dot or a space, which FAT drops")
	}
	units := 0
	for _, r := range name {
		if r < ' ' || strings.ContainsRune(`"*/:<>?\|`, r) {
			return fmt.Errorf("name holds %q, which FAT cannot carry", r)
		}
		units += utf16.RuneLen(r)
	}
	if units > maxUnits {
		return fmt.Errorf("name has %d UTF-16 units, and FAT carries up to %d", units, maxUnits)
	}
	return nil
}

// isShortRune says whether a short name may hold r.
func isShortRune(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < utf8.RuneSelf && strings.ContainsRune("!#$%&'()-@^_`{}~", r)
}

// exactShort returns name in upper case as a short name, if nothing but the
// case is lost by that.
func exactShort(name string) (short [shortSize]byte, ok bool) {
	base, extension, dot := strings.Cut(strings.Map(upperASCII, name), ".")
	if base == "" || len(base) > shortBase || len(extension) > shortSize-shortBase || dot && extension == "" {
		return short, false
	}
	for _, r := range base + extension {
		if !isShortRune(r) {
			return short, false
		}
	}
	return joinShort(base, extension), true
}

// upperASCII leaves other letters alone: some have an ASCII one as upper case.
func upperASCII(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// joinShort pads both parts with spaces.
func joinShort(base, extension string) (short [shortSize]byte) {
	copy(short[:], fmt.Sprintf("%-8s%-3s", base, extension))
	return short
}

// A namer makes the short names of one directory.
type namer struct {
	taken map[[shortSize]byte]bool
	next  map[string]int // the number that comes next, by what it is put behind
}

// make gives n a short name with a number, the smallest that is free.
func (m *namer) make(n *node) error {
	base, extension := cutShort(strings.ToUpper(path.Base(n.name)))
	key := base[:min(len(base), shortBase-len("~1"))] + "." + extension
	for number := max(1, m.next[key]); number <= maxTail; number++ {
		tail := "~" + strconv.Itoa(number)
		short := joinShort(base[:min(len(base), shortBase-len(tail))]+tail, extension)
		if !m.taken[short] {
			n.short = short
			m.taken[short], m.next[key] = true, number+1
			return nil
		}
	}
	return fmt.Errorf("fat: %s: no short name is left for it", n.name)
}

// cutShort returns what a short name for name, in upper case, is made of: up
// to eight characters before the last dot and up to three after it, none of
// them a dot or a space, and an underscore for each that is not allowed.
func cutShort(name string) (base, extension string) {
	name = strings.TrimLeft(name, ". ")
	base = name
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		base, extension = name[:dot], name[dot+1:]
	}
	clean := func(s string, size int) string {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '.' || r == ' ':
				return -1
			case isShortRune(r):
				return r
			}
			return '_'
		}, s)
		return s[:min(len(s), size)]
	}
	return clean(base, shortBase), clean(extension, shortSize-shortBase)
}
