package bootloader

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// vendorFolders returns the folders of an installed EFI system partition, and of
// the copy of one that bootupd keeps.
func vendorFolders() []string {
	var folders []string
	for _, top := range []string{"boot/efi/EFI/", "usr/lib/bootupd/updates/EFI/"} {
		for _, vendor := range []string{"fedora", "rocky", "redhat", "almalinux", "centos", "debian", "ubuntu"} {
			folders = append(folders, top+vendor+"/")
		}
	}
	return folders
}

// shims returns where distributions put shim.
func shims(p platform) []string {
	name := "shim" + p.cpu + ".efi"
	names := []string{
		"usr/share/efi/" + p.arch + "/shim.efi",
		"usr/lib/shim/" + name + ".dualsigned",
		"usr/lib/shim/" + name + ".signed.latest",
		"usr/lib/shim/" + name + ".signed",
	}
	for _, folder := range vendorFolders() {
		names = append(names, folder+"shim.efi", folder+name)
	}
	return names
}

// grubs returns where distributions put GRUB for UEFI.
func grubs(p platform) []string {
	name := "grub" + p.cpu + ".efi"
	folder := "usr/lib/grub/" + grubArch(p) + "-efi"
	names := []string{
		folder + "-signed/gcd" + p.cpu + ".efi.signed",
		"usr/share/efi/" + p.arch + "/grub.efi",
		folder + "-signed/" + name + ".signed",
	}
	for _, vendor := range vendorFolders() {
		names = append(names, vendor+name)
	}
	names = append(names,
		folder+"/"+name,
		folder+"/monolithic/gcd"+p.cpu+".efi",
		folder+"/monolithic/"+name,
		"boot/efi/EFI/BOOT/"+name,
	)
	if p.cpu == "riscv64" {
		names = append(names, "boot/efi/EFI/BOOT/BOOTRISCV64.EFI")
	}
	return names
}

// grubArch returns how GRUB calls the architecture.
func grubArch(p platform) string {
	if p.arch == "aarch64" {
		return "arm64"
	}
	return p.arch
}

// biosFolders returns where distributions put GRUB for a BIOS, and what users
// call a folder with it.
func biosFolders() []string {
	return []string{
		"usr/lib/grub/i386-pc", "usr/lib/grub2/i386-pc", "usr/share/grub2/i386-pc", "usr/share/grub/i386-pc",
		"usr/lib64/grub/i386-pc", "usr/lib64/grub2/i386-pc", "i386-pc", ".",
	}
}

// loose returns the names of programs in folders that a user may put together,
// signed ones first.
func loose(tree fs.FS, p platform, programs ...string) []string {
	var wanted []string
	for _, program := range programs {
		for _, suffix := range []string{".efi.dualsigned", ".efi.signed.latest", ".efi.signed", ".efi"} {
			wanted = append(wanted, program+suffix)
		}
	}
	grub := grubArch(p) + "-efi"
	var names []string
	for _, folder := range []string{".", "EFI/BOOT", "efi/boot", grub + "-signed", grub + "/monolithic"} {
		names = append(names, inFolder(tree, folder, wanted...)...)
	}
	return names
}

// beside returns those of the wanted files that are in the folder of another.
func beside(tree fs.FS, name string, wanted ...string) []string {
	return inFolder(tree, path.Dir(name), wanted...)
}

// inFolder returns those of the wanted files that are in a folder, in upper or
// lower case, in the order that they are wanted in.
func inFolder(tree fs.FS, folder string, wanted ...string) []string {
	entries, err := fs.ReadDir(tree, folder)
	if err != nil { // No such folder: nothing is wanted from it.
		return nil
	}
	var names []string
	for _, want := range wanted {
		i := slices.IndexFunc(entries, func(e fs.DirEntry) bool { return strings.EqualFold(e.Name(), want) })
		if i >= 0 {
			names = append(names, path.Join(folder, entries[i].Name()))
		}
	}
	return names
}
