package diskimage

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/netbootkit/netbootkit/internal/grub"
)

// Files of a plain disk's root.
const (
	fstabName  = "etc/fstab"
	growName   = "etc/repart.d/50-root.conf"
	seedFolder = "var/lib/cloud/seed/nocloud/"
)

// stub is GRUB's configuration in the EFI system partition: it goes on with
// that of the root, which the system may rewrite.
func (p *plainSource) stub() string {
	return fmt.Sprintf(`search --no-floppy --fs-uuid --set=root %s
set prefix=($root)/%s
configfile $prefix/grub.cfg
`, p.fsUUID(), p.folder)
}

// fsUUID returns the identifier of the root's file system, as GRUB has it.
func (p *plainSource) fsUUID() string { return strings.ToLower(p.fsID.String()) }

// partUUID returns the identifier of the root's partition, as Linux has it.
func (p *plainSource) partUUID() string { return "PARTUUID=" + strings.ToLower(p.rootID.String()) }

// allFiles returns all files that are laid over the tree.
func (p *plainSource) allFiles() []file {
	files := append(p.extra, file{p.folder + "/grub.cfg", 0o644, []byte(p.menu())})
	systemd, options := p.hasSystemd(), "defaults"
	if systemd { // BusyBox hands an option that it does not know to the kernel, which refuses it.
		options += ",x-systemd.growfs"
	}
	if !p.hasFstab() {
		line := p.partUUID() + " / ext4 " + options + " 0 1\n"
		files = append(files, file{fstabName, 0o644, []byte(line)})
	}
	if systemd && !p.hasRepart() {
		files = append(files, file{growName, 0o644, []byte("[Partition]\nType=root\n")})
	}
	if len(p.cfg.cloudConfig) > 0 {
		id := named(p.layout.ID, string(p.cfg.cloudConfig)) // cloud-init runs once for each
		meta := "instance-id: " + strings.ToLower(id.String()) + "\n"
		files = append(files,
			file{seedFolder + "user-data", 0o600, p.cfg.cloudConfig},
			file{seedFolder + "meta-data", 0o644, []byte(meta)})
	}
	return files
}

// hasFstab says whether the tree has a table of file systems, with more than
// comments.
func (p *plainSource) hasFstab() bool {
	text, err := readSmall(p.tree, fstabName)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return true
		}
	}
	return false
}

// hasSystemd says whether systemd starts the tree.
func (p *plainSource) hasSystemd() bool {
	return slices.ContainsFunc([]string{"usr/lib/systemd/systemd", "lib/systemd/systemd"}, func(name string) bool {
		_, err := fs.Stat(p.tree, name)
		return err == nil
	})
}

// hasRepart says whether the tree tells systemd-repart what to do.
func (p *plainSource) hasRepart() bool {
	return slices.ContainsFunc([]string{"etc/repart.d", "usr/lib/repart.d"}, func(name string) bool {
		entries, err := fs.ReadDir(p.tree, name)
		return err == nil && len(entries) > 0
	})
}

// menu returns GRUB's menu.
func (p *plainSource) menu() string {
	return fmt.Sprintf(`search --no-floppy --fs-uuid --set=root %s
set default=0
set timeout=2
%s
menuentry %s --class os --unrestricted {
    linux %s
    initrd %s
}
`, p.fsUUID(), grub.Serial(p.cfg.consoles), grub.Quote(p.title), p.linux(), grub.Quote("/"+p.boot.Initrd))
}

// linux returns the kernel and its command line.
func (p *plainSource) linux() string {
	words := []string{"/" + p.boot.Kernel, "root=" + p.partUUID(), "ro"}
	for _, console := range p.cfg.consoles {
		words = append(words, "console="+console)
	}
	for _, text := range p.cfg.cmdline {
		words = append(words, strings.Fields(text)...)
	}
	return grub.Quote(words...)
}
