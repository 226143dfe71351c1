package isobuild

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// A Boot says what boots an image, as a network boot needs it.
type Boot struct {
	// Layout is how the files are arranged: "Kairos", "KIWI", "openSUSE
	// installer", "Fedora", "Debian live" or "Ubuntu casper".
	Layout string
	Kernel *BootFile
	Initrd *BootFile
	// RootFS is the root file system: a squashfs, or for some versions an image
	// that is not packed. Of several layers it is the lowest. It is nil if
	// there is none, as on the image of an installer.
	RootFS *BootFile
	// Cmdline is what the image's own menu gives the kernel in its first entry,
	// without the words that say on which medium the system is: root=live:,
	// inst.stage2=, initrd= and BOOT_IMAGE=. Of the variables in it, what is set
	// under a condition counts last. It is empty if no menu is found.
	Cmdline string
}

// Boot finds kernel, initial ramdisk, root file system and command line. The
// error matches [fs.ErrNotExist] and says where they were looked for, or
// [errors.ErrUnsupported] if they are in the EFI system partition only.
func (im *Image) Boot() (*Boot, error) {
	var looked []string
	tree := im.lowered()
	for _, rule := range bootRules() {
		b, err := im.match(tree, rule)
		if err != nil {
			return nil, &Error{Op: "boot", Err: err}
		}
		if b != nil {
			return b, nil
		}
		looked = append(looked, rule.String())
	}
	if err := im.findLoaderInESP(); err != nil {
		return nil, &Error{Op: "boot", Err: err}
	}
	return nil, &Error{Op: "boot", Err: fmt.Errorf("no kernel with a ramdisk in %s: %w", strings.Join(looked, ", "), fs.ErrNotExist)}
}

// match returns what boots the image if its tree is arranged as rule says, or
// nil.
func (im *Image) match(tree fs.FS, rule bootRule) (*Boot, error) {
	kernel, initrd := rule.pair(tree)
	if kernel == "" {
		return nil, nil
	}
	root := rule.rootFS(tree, kernel)
	if root == "" && rule.needsRoot {
		return nil, nil
	}
	b := &Boot{Layout: rule.layout, Cmdline: cmdline(tree, kernel)}
	for _, part := range []struct {
		name string
		file **BootFile
	}{{kernel, &b.Kernel}, {initrd, &b.Initrd}, {root, &b.RootFS}} {
		if part.name == "" {
			continue
		}
		var err error
		if *part.file, err = im.bootFile(part.name); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bootFile opens a regular file.
func (im *Image) bootFile(name string) (*BootFile, error) {
	f, err := im.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h, ok := info.Sys().(*tar.Header)
	r, readable := f.(io.ReaderAt)
	if !ok || !readable || !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("is not a regular file")}
	}
	return &BootFile{io.NewSectionReader(r, 0, info.Size()), h.Name}, nil
}

// findLoaderInESP fails if the image boots by systemd-boot, whose kernel is in
// the EFI system partition.
func (im *Image) findLoaderInESP() error {
	const searched = 4 << 20 // bytes, behind whose start the root directory is
	catalog, err := im.tree.Catalog()
	if err != nil || catalog == nil {
		return err
	}
	for _, e := range catalog.Entries {
		if e.Platform != iso9660.PlatformEFI {
			continue
		}
		start := offset(e.Block)
		b := make([]byte, max(0, min(searched, im.file.Size()-start)))
		n, err := im.file.ReadAt(b, start)
		if n < len(b) {
			return fmt.Errorf("EFI system partition: %w", err)
		}
		if hasFolder(b, "LOADER     ") {
			return fmt.Errorf("kernel and ramdisk are in the EFI system partition, for systemd-boot: %w", errors.ErrUnsupported)
		}
	}
	return nil
}

// hasFolder says whether FAT b has a directory entry of a folder with that
// short name.
func hasFolder(b []byte, short string) bool {
	const entry, attributes, folder = 32, 11, 0x10
	for at := 0; at+entry <= len(b); at += entry {
		if string(b[at:at+attributes]) == short && b[at+attributes] == folder {
			return true
		}
	}
	return false
}
