package bootloader

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// bootFolder is where firmware looks on media that it was told nothing about.
const bootFolder = "EFI/BOOT/"

// Config returns the configuration for the EFI system partition of an ISO: it
// goes on with /boot/grub2/grub.cfg of the file system that has /boot/kernel.
func Config() []byte {
	return []byte("search --no-floppy --file --set=root /boot/kernel\n" +
		"set prefix=($root)/boot/grub2\n" +
		"configfile $prefix/grub.cfg\n")
}

// Tree returns what goes into the EFI system partition. Config is GRUB's
// configuration; nil stands for that of [Config]. Contents of programs stay in
// e.FS. Files have no time.
func (e *EFI) Tree(config []byte) (fs.FS, error) {
	if config == nil {
		config = Config()
	}
	t := newTree()
	if e.Shim == "" {
		t.addFile(bootFolder+e.BootName, e.FS, e.Grub)
	} else {
		t.addFile(bootFolder+e.BootName, e.FS, e.Shim)
		t.addFile(bootFolder+e.GrubName, e.FS, e.Grub)
	}
	if e.MokManager != "" {
		name, _, _ := strings.Cut(strings.ToLower(e.MokManager[strings.LastIndex(e.MokManager, "/")+1:]), ".")
		t.addFile(bootFolder+name+".efi", e.FS, e.MokManager)
	}
	for _, name := range e.Configs() {
		t.addBytes(name, config)
	}
	if e.Arch == "riscv64" { // Its firmware often has a shell, and no default program.
		t.addBytes("startup.nsh", []byte(`\EFI\BOOT\`+e.BootName+"\n"))
	}
	if err := t.finish(); err != nil {
		return nil, fmt.Errorf("bootloader: %w", err)
	}
	return t, nil
}

// Configs returns the names of all files in which GRUB may look for its
// configuration. They belong into the EFI system partition, and into an ISO as
// well.
func (e *EFI) Configs() []string {
	names := []string{
		bootFolder + "grub.cfg",
		"boot/grub/grub.cfg",
		"EFI/debian/grub.cfg",
		"EFI/ubuntu/grub.cfg",
	}
	name := folderOf(e.Prefix)
	if name == "" {
		return names
	}
	if name = sameCase(name+"/grub.cfg", names); slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// sameCase returns name with its folders written as they are in others, because
// FAT does not tell upper from lower case.
func sameCase(name string, others []string) string {
	for _, other := range others {
		for i, c := range other {
			if c == '/' && i < len(name) && name[i] == '/' && strings.EqualFold(name[:i], other[:i]) {
				name = other[:i] + name[i:]
			}
		}
	}
	return name
}
