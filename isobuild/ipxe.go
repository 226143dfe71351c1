package isobuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"

	"github.com/netbootkit/netbootkit/internal/overlay"
)

// DefaultIPXEVolumeID is the volume identifier of an iPXE image, unless
// [WithVolumeID] says otherwise.
const DefaultIPXEVolumeID = "IPXE"

const (
	ipxeProgramName = "boot/ipxe.lkrn"
	ipxeScriptName  = "boot/script.ipxe"

	ipxeMagic     = "#!ipxe"
	maxIPXEScript = 1 << 20
)

// ipxeMenu makes GRUB start iPXE as it starts a kernel, with the script as its
// initial ramdisk.
const ipxeMenu = `echo "Loading iPXE..."
linux16 /` + ipxeProgramName + `
initrd16 /` + ipxeScriptName + `
boot
`

// IPXEPrograms are the boot programs of an iPXE image: at least one.
type IPXEPrograms struct {
	// EFI are the programs for UEFI, by architecture in Go's names: amd64,
	// arm64, riscv64, loong64, 386 or arm. Each has to have the script embedded
	// in it already: it gets it from nowhere else.
	EFI map[string]File

	// BIOS is iPXE in the form of a Linux kernel, ipxe.lkrn, or nil. It is
	// given the script when it starts. GRUB starts it, so [WithLoaders] has to
	// name a tree with GRUB's folder i386-pc.
	BIOS File
}

// IPXE writes an image to w that boots into iPXE, which runs script: from a CD
// and, copied to it as it is, from a USB stick or disk. It returns how many bytes
// it wrote.
//
//	firmware  what starts
//	BIOS      GRUB, then /boot/ipxe.lkrn with /boot/script.ipxe as its ramdisk
//	UEFI      /EFI/BOOT/BOOTX64.EFI, BOOTAA64.EFI and so on of the EFI system partition
//
// The image boots on what there are programs for. [WithFirmware] makes it an
// error that one is missing, and leaves out what it does not name.
// [IPXEWaitScript] is a script that boots from whatever boot server the network
// has. None of this is signed, so Secure Boot has to be off.
func IPXE(ctx context.Context, w io.Writer, programs IPXEPrograms, script []byte, opts ...Option) (int64, error) {
	cfg, err := newConfig(opIPXE, opts)
	if err != nil {
		return 0, err
	}
	if cfg.volumeID == "" {
		cfg.volumeID = DefaultIPXEVolumeID
	}
	n, err := writeIPXE(ctx, w, cfg, programs.only(cfg.firmware), script)
	return n, cfg.wrap(err)
}

// only returns the programs for some kinds of firmware; zero are all.
func (p IPXEPrograms) only(firmware Firmware) IPXEPrograms {
	if firmware != 0 && firmware&BIOS == 0 {
		p.BIOS = nil
	}
	if firmware != 0 && firmware&UEFI == 0 {
		p.EFI = nil
	}
	return p
}

// writeIPXE writes the image once nothing stands against it.
func writeIPXE(ctx context.Context, w io.Writer, cfg *config, programs IPXEPrograms, script []byte) (int64, error) {
	if err := programs.check(cfg, script); err != nil {
		return 0, err
	}
	l, err := newLayout(cfg)
	if err != nil {
		return 0, err
	}
	if programs.BIOS != nil {
		if err := l.addIPXE(programs.BIOS, script); err != nil {
			return 0, err
		}
	}
	if len(programs.EFI) > 0 {
		esp, err := programs.esp(l)
		if err != nil {
			return 0, err
		}
		if err := l.addESP(ctx, esp); err != nil {
			return 0, err
		}
	}
	for _, tree := range cfg.files {
		if err := l.addTree(tree); err != nil {
			return 0, err
		}
	}
	if err := l.place(ctx); err != nil {
		return 0, err
	}
	image, err := l.finish()
	if err != nil {
		return 0, err
	}
	n, err := cfg.write(ctx, w, image)
	if err == nil {
		cfg.log.LogAttrs(ctx, slog.LevelInfo, "ipxe image built",
			slog.String("volume", cfg.volumeID), slog.Int64("bytes", n))
	}
	return n, err
}

// check says all that is wrong with programs and script.
func (p IPXEPrograms) check(cfg *config, script []byte) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if cfg.arch != "" {
		fail("WithArch means nothing here: the programs say what they are for")
	}
	switch rest, ok := bytes.CutPrefix(script, []byte(ipxeMagic)); {
	case !ok || len(rest) == 0 || !bytes.ContainsRune([]byte(" \t\r\n"), rune(rest[0])):
		fail("script does not begin with the line %q", ipxeMagic)
	case len(script) > maxIPXEScript:
		fail("script of %d bytes, at most %d are allowed", len(script), maxIPXEScript)
	}
	if p.BIOS == nil && (cfg.firmware&BIOS != 0 || len(p.EFI) == 0 && cfg.firmware == 0) {
		fail("no program for BIOS: it has to be an ipxe.lkrn")
	}
	if len(p.EFI) == 0 && (cfg.firmware&UEFI != 0 || p.BIOS == nil && cfg.firmware == 0) {
		fail("no program for UEFI")
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, arch := range slices.Sorted(maps.Keys(p.EFI)) {
		errs = append(errs, checkEFI(arch, p.EFI[arch], script))
	}
	if p.BIOS != nil {
		errs = append(errs, checkLkrn(p.BIOS))
	}
	return errors.Join(errs...)
}

// addIPXE adds what boots iPXE on a BIOS.
func (l *layout) addIPXE(program File, script []byte) error {
	only := *l.cfg
	only.firmware = BIOS
	_, found, err := only.findLoaders(nil, "amd64")
	if err != nil {
		return err
	}
	return errors.Join(
		l.addBIOS(found.BIOS, []string{"biosdisk", "iso9660", "linux16", "echo", "normal"}),
		l.addFile(ipxeProgramName, program, program.Size()),
		l.addBytes(ipxeScriptName, script),
		l.addBytes(menuName, []byte(ipxeMenu)),
	)
}

// esp returns the files of the EFI system partition.
func (p IPXEPrograms) esp(l *layout) (fs.FS, error) {
	files := overlay.New()
	for arch, program := range p.EFI {
		h := l.header("EFI/BOOT/"+efiPrograms()[arch].name, program.Size())
		if err := files.AddFile(h, program); err != nil {
			return nil, err
		}
	}
	return files.Tree(), nil
}
