package squashfs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A dirEntry is a name in a directory.
type dirEntry struct {
	name string
	ref  inodeRef
	kind uint16 // basic type of the inode
}

// A dirReader reads the listings of directories.
type dirReader struct {
	cursor

	entries int   // that may follow
	bytes   int64 // of listings that may follow
}

var (
	errListing  = errors.New("listing ends in the middle of an entry")
	errListings = fmt.Errorf("listings take more than %d bytes", maxListings)
	errEntries  = fmt.Errorf("more than %d entries", maxNames)
)

// readDir reads the entries of the directory n, in ascending order of names.
func (c *dirReader) readDir(n *inode) ([]dirEntry, error) {
	left := n.length - dirExtra
	if left <= 0 {
		return nil, nil
	}
	if c.bytes -= left; c.bytes < 0 {
		return nil, errListings
	}
	if err := c.seekRef(c.store.im.dirs, n.listing); err != nil {
		return nil, err
	}
	var entries []dirEntry
	for left > 0 {
		var err error
		if entries, err = c.readRun(entries, &left); err != nil {
			return nil, err
		}
	}
	// Writers sort, because the kernel searches; where one did not, so do we.
	byName := func(a, b dirEntry) int { return cmp.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(entries, byName) {
		slices.SortFunc(entries, byName)
	}
	for i := 1; i < len(entries); i++ {
		if entries[i].name == entries[i-1].name {
			return nil, fmt.Errorf("two entries are called %q", entries[i].name)
		}
	}
	return entries, nil
}

// readRun appends the entries behind one header. Left is how many bytes of
// the listing follow.
func (c *dirReader) readRun(entries []dirEntry, left *int64) ([]dirEntry, error) {
	var header [dirHeaderSize]byte
	if *left -= dirHeaderSize; *left < 0 {
		return nil, errListing
	}
	if err := c.read(header[:]); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	count, start := int64(le.Uint32(header[0:]))+1, inodeRef(le.Uint32(header[4:]))<<16
	if count > maxDirHeader {
		return nil, fmt.Errorf("%d entries behind one header, more than %d", count, maxDirHeader)
	}
	for range count {
		if c.entries--; c.entries < 0 {
			return nil, errEntries
		}
		e, err := c.readEntry(start, left)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// readEntry reads one entry, of an inode in the metadata block of start.
func (c *dirReader) readEntry(start inodeRef, left *int64) (dirEntry, error) {
	var b [dirEntrySize + maxName]byte
	if err := c.read(b[:dirEntrySize]); err != nil {
		return dirEntry{}, err
	}
	le := binary.LittleEndian
	length := int(le.Uint16(b[6:])) + 1
	if length > maxName {
		return dirEntry{}, fmt.Errorf("name of %d bytes is longer than %d", length, maxName)
	}
	if *left -= int64(dirEntrySize + length); *left < 0 {
		return dirEntry{}, errListing
	}
	name := b[dirEntrySize:][:length]
	if err := c.read(name); err != nil {
		return dirEntry{}, err
	}
	e := dirEntry{string(name), start | inodeRef(le.Uint16(b[0:])), le.Uint16(b[4:])}
	if e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\x00") {
		return dirEntry{}, fmt.Errorf("%q cannot be a name", e.name)
	}
	return e, nil
}
