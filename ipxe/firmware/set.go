package firmware

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/tinkerbell/ipxedust/binary"
)

// UserClass is what the embedded programs call themselves in option 77 of
// their DHCP requests, without the length bytes of RFC 3004. It tells them
// from an iPXE of another build.
const UserClass = "Tinkerbell"

// A Program is what a machine loads first.
type Program struct {
	Name     string // as [Set.Open] takes it
	Size     int64  // in bytes
	Embedded bool   // it has a script of its own, and must not be sent autoexec.ipxe
}

// A Set holds boot programs. It is an [fs.FS] whose files implement
// [io.ReaderAt].
type Set struct {
	tree     fs.FS // nil if there is none
	embedded map[string][]byte
}

// NewSet returns the embedded programs, with those of [WithTree] before them.
func NewSet(opts ...Option) (*Set, error) {
	cfg := newConfig(opts)
	script, err := StartScript(cfg.url)
	if err != nil {
		return nil, err
	}
	s := &Set{tree: cfg.tree, embedded: map[string][]byte{"undionly.kpxe": binary.Undionly}}
	for name, program := range map[string][]byte{"ipxe.efi": binary.IpxeEFI, "snp.efi": binary.SNP} {
		if s.embedded[name], err = Patch(program, script); err != nil {
			return nil, fmt.Errorf("firmware: %s: %w", name, err)
		}
	}
	return s, nil
}

// Program returns the program for a machine with this architecture code, and
// whether there is one. A machine without one is best left unanswered, so that
// it goes on to its next boot device.
//
// In a tree of the caller's own these are tried in order, here for x86-64;
// the layout of iPXE's own release archive is among them:
//
//	shimx64.efi             a shim; what it starts lies beside it
//	x86_64-sb/shimx64.efi
//	snponly-x86_64.efi      iPXE on the card it was loaded through
//	ipxe-x86_64.efi         iPXE with drivers for every card
//	x86_64/snponly.efi
//	x86_64/ipxe.efi
//	snponly.efi, ipxe.efi   for x86-64 only, by tradition
//
// In place of x86_64 and x64 stand
//
//	i386     ia32         codes 6 and 15
//	arm32    arm          codes 10 and 18
//	arm64    aa64         codes 11 and 19; then snp.efi
//	riscv32  riscv32      codes 25 and 26
//	riscv64  riscv64      codes 27 and 28
//	loong64  loongarch64  codes 39 and 40
//
// For a BIOS undionly.kpxe and ipxe.pxe are tried, then the same in the
// folders x86_64 and i386.
func (s *Set) Program(code uint16) (Program, bool) {
	a, ok := archOf(code)
	if !ok {
		return Program{}, false
	}
	if s.tree != nil {
		for _, name := range a.names() {
			if info, err := fs.Stat(s.tree, name); err == nil && info.Mode().IsRegular() {
				return Program{Name: name, Size: info.Size()}, true
			}
		}
	}
	data, ok := s.embedded[a.embedded]
	return Program{Name: a.embedded, Size: int64(len(data)), Embedded: ok}, ok
}

// Open opens the program called name, or any file that the caller's own tree
// has, such as what a shim starts. The root lists both. A machine's address in
// front, as in "52:54:00:12:34:56/ipxe.efi", is passed over: boot servers put it
// there to know which machine asks, and what a program looks for beside itself
// has it as well.
func (s *Set) Open(name string) (fs.File, error) {
	if name == "." {
		return s.root()
	}
	name = withoutMachine(name)
	if s.tree != nil {
		f, err := s.tree.Open(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	data, ok := s.embedded[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return openFile(name, data), nil
}

// withoutMachine returns name without a first element that is a MAC address.
func withoutMachine(name string) string {
	dir, rest, ok := strings.Cut(name, "/")
	if mac, err := net.ParseMAC(dir); ok && err == nil && len(mac) == 6 {
		return rest
	}
	return name
}

// root opens the folder that holds the embedded programs and the caller's own.
func (s *Set) root() (fs.File, error) {
	files := map[string]fs.DirEntry{}
	for name, data := range s.embedded {
		files[name] = fs.FileInfoToDirEntry(info{name, int64(len(data))})
	}
	if s.tree != nil {
		own, err := fs.ReadDir(s.tree, ".")
		if err != nil {
			return nil, err
		}
		for _, e := range own {
			files[e.Name()] = e
		}
	}
	return &folder{entries: slices.SortedFunc(maps.Values(files), func(a, b fs.DirEntry) int {
		return strings.Compare(a.Name(), b.Name())
	})}, nil
}
