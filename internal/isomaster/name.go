package isomaster

import (
	"strconv"
	"strings"
)

const (
	// maxIdentifier is the longest identifier in the primary tree, in bytes:
	// of a directory, or of a file with its point (ECMA-119 §7.5.1, §7.6.3).
	maxIdentifier = 31
	// maxExtension is what is left of an extension where something has to be
	// cut, in bytes.
	maxExtension = 12
	// maxSuffix is room for what makes an identifier unique.
	maxSuffix = 8
)

// version ends the identifiers of files in the primary tree.
const version = ";1"

// namer makes the identifiers of one directory, no two of which are the same.
type namer struct {
	joliet bool
	taken  map[string]struct{} // what has been given, as key
	tried  map[string]int      // how many suffixes, by identifier without one
}

// reset begins another directory.
func (n *namer) reset(joliet bool) {
	const large = 1000 // To clear a map costs as much as it has ever held.
	if n.joliet = joliet; n.taken == nil || len(n.taken) > large {
		n.taken, n.tried = make(map[string]struct{}), make(map[string]int)
	}
	clear(n.taken)
	clear(n.tried)
}

// identifier returns that of the file called name. Where the natural one is
// taken, it is cut and gets a number: the first that is free.
func (n *namer) identifier(name string, directory bool) string {
	form := primaryIdentifier
	if n.joliet {
		form = jolietIdentifier
	}
	id := form(name, "", directory)
	if n.take(id) {
		return id
	}
	base := form(name, "_", directory)
	for {
		n.tried[base]++
		id := form(name, "_"+strconv.Itoa(n.tried[base]), directory)
		if n.take(id) {
			return id
		}
	}
}

// take says whether no reader has seen id in this directory yet: readers drop
// the point at the end of a name without extension, and Windows and Linux do
// not tell the case of Joliet's names.
func (n *namer) take(id string) bool {
	key := strings.TrimSuffix(id, ".")
	if n.joliet {
		key = strings.ToLower(id)
	}
	if _, ok := n.taken[key]; ok {
		return false
	}
	n.taken[key] = struct{}{}
	return true
}

// primaryIdentifier is name in capitals, digits and low lines, and with a
// point if it is a file's (ECMA-119 §7.4.1, §7.5, §7.6), but no version.
func primaryIdentifier(name, suffix string, directory bool) string {
	stem, extension := strings.Map(primaryRune, name), ""
	limit := maxIdentifier
	if !directory {
		limit--
		if at := strings.LastIndexByte(name, '.'); at > 0 {
			stem, extension = strings.Map(primaryRune, name[:at]), strings.Map(primaryRune, name[at+1:])
		}
	}
	reserved := 0
	if suffix != "" {
		reserved = maxSuffix
	}
	if len(stem)+len(extension)+reserved > limit {
		extension = extension[:min(len(extension), maxExtension)]
		stem = stem[:min(len(stem), limit-reserved-len(extension))]
	}
	if directory {
		return stem + suffix
	}
	return stem + suffix + "." + extension
}

// primaryRune is r as a d-character (ECMA-119 §7.4.1).
func primaryRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return r
	}
	return '_'
}
