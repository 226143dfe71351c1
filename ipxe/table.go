package ipxe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// An Entry says what the machines boot that match all of its selectors. An
// empty selector matches every machine.
type Entry struct {
	MAC    string `json:"mac,omitempty"`    // six bytes with colons or dashes
	UUID   string `json:"uuid,omitempty"`   // 36 characters
	Serial string `json:"serial,omitempty"` // exactly as SMBIOS has it
	Arch   string `json:"arch,omitempty"`   // as iPXE's ${buildarch}, such as "x86_64"
	Spec   *Spec  `json:"spec"`             // nil means that the machine is not to boot from here
}

// A Table is a [Booter] that chooses by what a machine says about itself, and
// opens files in one tree. It does not change, and is safe for concurrent use.
type Table struct {
	fsys    fs.FS
	entries map[selector]*Spec
}

// selector is the parsed form of an Entry's selectors.
type selector struct {
	mac, serial, arch string
	uuid              [16]byte
}

// NewTable returns a booter with the given entries, whose names are files in
// fsys. The most specific entry that matches a machine wins: one that gives
// the MAC wins over one that does not; among the rest UUID counts before
// serial number, and that before architecture. It returns all faults at once.
func NewTable(fsys fs.FS, entries ...Entry) (*Table, error) {
	t := &Table{fsys: fsys, entries: make(map[selector]*Spec)}
	var errs []error
	for i, e := range entries {
		s, err := e.selector()
		if _, twice := t.entries[s]; err == nil && twice {
			err = errors.New("another entry has the same selectors")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("ipxe: entry %d: %w", i, err))
			continue
		}
		t.entries[s] = e.Spec
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// Static returns a table by which every machine boots spec, with files in
// fsys.
func Static(spec *Spec, fsys fs.FS) *Table {
	return &Table{fsys: fsys, entries: map[selector]*Spec{{}: spec}}
}

func (e *Entry) selector() (selector, error) {
	s := selector{serial: e.Serial, arch: e.Arch}
	if e.MAC != "" {
		mac, err := parseMAC(e.MAC)
		if err != nil {
			return s, fmt.Errorf("mac %q: %w", e.MAC, err)
		}
		s.mac = string(mac)
	}
	if e.UUID != "" {
		uuid, err := parseUUID(e.UUID)
		if err != nil {
			return s, fmt.Errorf("uuid %q: %w", e.UUID, err)
		}
		s.uuid = uuid
	}
	return s, nil
}

// BootSpec implements [Booter].
func (t *Table) BootSpec(_ context.Context, m *Machine) (*Spec, error) {
	whole := selector{mac: string(m.MAC), uuid: m.UUID, serial: m.Serial, arch: m.Arch}
	// Bit 3 is the MAC and bit 0 the architecture, so that counting down
	// goes from the most specific to the least.
	for bits := 15; bits >= 0; bits-- {
		if spec, ok := t.entries[whole.only(bits)]; ok {
			return spec, nil
		}
	}
	return nil, nil //nolint:nilnil // This is how a Booter says "not ours".
}

// only returns s without the selectors whose bit is not set.
func (s selector) only(bits int) selector {
	if bits&8 == 0 {
		s.mac = ""
	}
	if bits&4 == 0 {
		s.uuid = [16]byte{}
	}
	if bits&2 == 0 {
		s.serial = ""
	}
	if bits&1 == 0 {
		s.arch = ""
	}
	return s
}

// OpenBootFile implements [Booter] by opening name in the table's tree.
func (t *Table) OpenBootFile(_ context.Context, name string) (File, error) {
	return OpenFile(t.fsys, name)
}

// Check renders every entry's script and opens every file that it names, so
// that a fault shows before a machine asks. It returns all faults at once.
func (t *Table) Check() error {
	var errs []error
	seen := make(map[string]bool)
	for _, spec := range t.entries {
		if spec == nil {
			continue
		}
		if err := spec.Check(); err != nil {
			errs = append(errs, err)
			continue
		}
		names, _ := spec.files() // Check found no fault.
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			f, err := OpenFile(t.fsys, name)
			if err != nil {
				errs = append(errs, &Error{Op: "open", Name: strings.TrimPrefix(name, "/"), Err: err})
				continue
			}
			closeFile(f)
		}
	}
	return errors.Join(errs...)
}
