package isomaster

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJoliet is the longest identifier in Joliet's tree, in code units.
const maxJoliet = 64

// jolietIdentifier is name with low lines for what Joliet forbids, cut to what
// it can hold, in UTF-8. It has no version, as readers do not miss it.
func jolietIdentifier(name, suffix string, directory bool) string {
	name = strings.Map(jolietRune, name)
	limit := maxJoliet
	if suffix != "" {
		limit -= maxSuffix
	}
	stem, extension := name, ""
	if at := strings.LastIndexByte(name, '.'); !directory && at > 0 {
		stem, extension = name[:at], name[at:]
	}
	if units(name) > limit {
		extension = cutUnits(extension, 1+maxExtension)
		stem = cutUnits(stem, limit-units(extension))
	}
	id := stem + suffix + extension
	if kept := strings.TrimRight(id, ". "); len(kept) < len(id) { // Windows and Linux drop these.
		id = kept + strings.Repeat("_", len(id)-len(kept))
	}
	return id
}

// jolietRune replaces what may not be in a name (Joliet specification,
// "Allowed Character Set"), and bytes that are not UTF-8.
func jolietRune(r rune) rune {
	if r < ' ' || strings.ContainsRune(`*/:;?\`, r) || r == utf8.RuneError {
		return '_'
	}
	return r
}

// units is the length of s in UTF-16.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// cutUnits returns as much of s as fits in limit code units.
func cutUnits(s string, limit int) string {
	for i, r := range s {
		if limit -= utf16.RuneLen(r); limit < 0 {
			return s[:i]
		}
	}
	return s
}

// bigEndian is s in UTF-16, most significant byte first.
func bigEndian(s string) string {
	var room [2]uint16
	b := make([]byte, 0, 2*units(s))
	for _, r := range s {
		for _, u := range utf16.AppendRune(room[:0], r) {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return string(b)
}
