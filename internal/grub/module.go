package grub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// maxFile is what a file of GRUB's folder may have, in bytes. The largest of
// GRUB 2.06 has 115096.
const maxFile = 1 << 20

// ISOModules returns the modules for a live ISO: those to find its menu, show it
// as text or graphics, on a screen or a serial line, and to start Linux.
func ISOModules() []string {
	return []string{
		"ext2", "iso9660", "linux", "echo", "configfile", "search", "search_label", "search_fs_file",
		"search_fs_uuid", "ls", "normal", "gzio", "gettext", "font", "gfxterm", "gfxmenu", "all_video",
		"test", "true", "loadenv", "part_gpt", "part_msdos", "biosdisk", "vga", "vbe", "chain", "boot",
		"smbios", "serial", "terminal", "regexp", "sleep", "halt", "reboot",
	}
}

// DiskModules returns the modules for a disk: those for an ISO, and those for
// the file systems and the loopback images that disks boot from.
func DiskModules() []string {
	return append(ISOModules(), "fat", "loopback", "squash4")
}

// resolve returns names and all that they need, in the order in which GRUB has
// to load them.
func resolve(modules fs.FS, names []string) ([]string, error) {
	list, err := readPart(modules, "moddep.lst", 0)
	if err != nil {
		return nil, err
	}
	needs := make(map[string][]string)
	for line := range strings.Lines(string(list)) {
		name, rest, ok := strings.Cut(line, ":")
		if !ok && strings.TrimSpace(name) != "" {
			return nil, fmt.Errorf("grub: moddep.lst: line %.80q has no colon", name)
		}
		needs[strings.TrimSpace(name)] = strings.Fields(rest)
	}
	r := resolver{needs: needs, seen: make(map[string]bool)}
	for _, name := range names {
		if err := r.add(name); err != nil {
			return nil, err
		}
	}
	return r.order, nil
}

// A resolver puts modules into an order.
type resolver struct {
	needs map[string][]string
	seen  map[string]bool
	order []string
}

// add adds a module behind all that it needs. A list that goes in circles, which
// GRUB's does not, leaves out the second visit.
func (r *resolver) add(name string) error {
	if !moduleName(name) {
		return fmt.Errorf("grub: module %q: no name for a module", name)
	}
	if r.seen[name] {
		return nil
	}
	r.seen[name] = true
	for _, need := range slices.Backward(r.needs[name]) { // As grub-mkimage does.
		if err := r.add(need); err != nil {
			return err
		}
	}
	r.order = append(r.order, name)
	return nil
}

// moduleName says whether name can be a module's.
func moduleName(name string) bool {
	return name != "" && len(name) <= 64 && !slices.ContainsFunc([]byte(name), func(c byte) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '+'
	})
}

// readPart returns a file of GRUB's folder, which must have size bytes unless
// that is 0.
func readPart(modules fs.FS, name string, size int) ([]byte, error) {
	f, err := modules.Open(name)
	if err != nil {
		return nil, fmt.Errorf("grub: folder i386-pc: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("grub: %s: %w", name, err)
	case len(data) > maxFile:
		err = fmt.Errorf("has more than %d bytes", maxFile)
	case size == 0 && len(data) == 0:
		err = errors.New("is empty")
	case size != 0 && len(data) != size:
		err = fmt.Errorf("has %d bytes, not %d", len(data), size)
	}
	if err != nil {
		return nil, fmt.Errorf("grub: %s: %w", name, err)
	}
	return data, nil
}
