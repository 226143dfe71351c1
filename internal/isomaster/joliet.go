package isomaster

import (
	"strings"
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
	if utf8.RuneCountInString(name) > limit {
		extension = cut(extension, 1+maxExtension)
		stem = cut(stem, limit-utf8.RuneCountInString(extension))
	}
	id := stem + suffix + extension
	if kept := strings.TrimRight(id, ". "); len(kept) < len(id) { // Windows and Linux drop these.
		id = kept + strings.Repeat("_", len(id)-len(kept))
	}
	return id
}

// jolietRune replaces what may not be in a name (Joliet specification,
// "Allowed Character Set"), bytes that are not UTF-8, and characters that UCS-2
// does not have: some readers take the whole directory for broken then.
func jolietRune(r rune) rune {
	if r < ' ' || r > 0xffff || r == utf8.RuneError || strings.ContainsRune(`*/:;?\`, r) {
		return '_'
	}
	return r
}

// cut returns the first n characters of s, each of which is one unit.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// bigEndian is s in UCS-2, most significant byte first.
func bigEndian(s string) string {
	b := make([]byte, 0, 2*len(s))
	for _, r := range s {
		b = append(b, byte(r>>8), byte(r))
	}
	return string(b)
}
