package isobuild

import (
	"fmt"
	"strings"

	"github.com/netbootkit/netbootkit/internal/grub"
)

// squashfsName is the root file system of a live image.
const squashfsName = "rootfs.squashfs"

// maxVolumeID is how long a volume identifier may be, in bytes (ECMA-119 §8.4.7).
const maxVolumeID = 32

// A menu is GRUB's menu of a live image.
type menu struct {
	title    string // of the system
	kairos   bool   // the system is a Kairos
	volumeID string
	arch     string
	consoles []string // as console= has them
	extra    []string // words for the end of the command line
}

// An entry is one line of the menu: what it adds to the common command line.
type entry struct {
	title string
	words []string // in the middle
	noCOS bool     // leaves out what keeps Kairos's own initramfs parts idle
	debug bool     // on the first screen instead of the consoles
}

// config returns the menu as grub.cfg.
func (m *menu) config() []byte {
	var b strings.Builder
	b.WriteString(m.preamble())
	for _, e := range m.entries() {
		b.WriteString(m.entry(e, ""))
	}
	if m.kairos {
		title := m.title + " (boot to RAM)"
		fmt.Fprintf(&b, "submenu %s {\n", grub.Quote(title))
		b.WriteString(m.entry(entry{title: title, words: []string{"kairos.ram", "kairos.ram.create_partitions"}}, "    "))
		b.WriteString("}\n\n")
	}
	b.WriteString(textMode)
	return []byte(b.String())
}

// preamble finds the medium and sets up the terminal. A Jetson Thor, which
// names itself in the processor's version, stops when Linux switches off the
// clocks and power domains that no driver asked for. Variables have to be
// exported to be seen in a submenu.
func (m *menu) preamble() string {
	return `# The medium is the device that GRUB came from, or else the first with a kernel.
if [ ! -f "($root)/boot/kernel" ]; then
    search --no-floppy --file --set=root /boot/kernel
fi
set default=0
set timeout=10
set timeout_style=menu

set font="($root)/boot/${grub_cpu}/loader/grub2/fonts/unicode.pf2"
if [ -f "${font}" ]; then
    loadfont "${font}"
fi
` + m.serial() + `
set board_words=
if [ "${grub_cpu}" = "arm64" ]; then
    set model=
    smbios --type 4 --get-string 5 --set model
    if [ "${model}" = "Thor" ]; then
        set board_words="pd_ignore_unused clk_ignore_unused console=ttyUTC0,115200 earlycon=tegra_utc,mmio32,0xc5a0000"
    fi
fi
export board_words

`
}

// textMode goes back to the firmware's own text output, for a screen on which
// graphics show nothing. Not all builds of GRUB can hide an entry.
const textMode = `if [ "${grub_platform}" = "efi" ]; then
    menuentry 'Text mode (t)' --hotkey t --unrestricted {
        set textmode=true
        terminal_output console
    }
fi
`

// serial shows the menu on the first serial console as well, if there is one.
func (m *menu) serial() string {
	if s := grub.Serial(m.consoles); s != "" {
		return "\n" + s + "\n"
	}
	return ""
}

func (m *menu) entries() []entry {
	if !m.kairos {
		return []entry{
			{title: m.title},
			{title: m.title + " (copied to RAM)", words: []string{"rd.live.ram=1"}},
			{title: m.title + " (debug)", words: []string{"rd.debug", "rd.shell"}, debug: true},
		}
	}
	return []entry{
		{title: m.title, words: []string{"install-mode"}},
		{title: m.title + " (manual)"},
		{title: strings.ToLower(m.title) + " (interactive install)", words: []string{"install-mode-interactive"}},
		{title: m.title + " (remote recovery mode)", words: []string{"kairos.remote_recovery_mode"}},
		{title: m.title + " (boot local node from livecd)", words: []string{"kairos.boot_live_mode"}, noCOS: true},
		{title: m.title + " (debug)", words: []string{"rd.debug", "rd.shell", "rd.immucore.debug"}, debug: true},
	}
}

// entry returns one menuentry.
func (m *menu) entry(e entry, indent string) string {
	front, back := m.words(e)
	lines := []string{
		"menuentry " + grub.Quote(e.title) + " --class os --unrestricted {",
		"    echo 'Loading kernel...'",
		"    linux ($root)/boot/kernel " + grub.Quote(front...) + " $board_words " + grub.Quote(back...),
		"    echo 'Loading initrd...'",
		"    initrd ($root)/boot/initrd",
		"}",
	}
	return indent + strings.Join(lines, "\n"+indent) + "\n\n"
}

// words returns the kernel's command line: what comes before the words for some
// boards, and what comes after them.
func (m *menu) words(e entry) (front, back []string) {
	front = []string{
		"cdroot", "root=live:CDLABEL=" + m.volumeID,
		"rd.live.dir=/", "rd.live.squashimg=" + squashfsName, "net.ifnames=1",
	}
	consoles := m.consoles
	if e.debug {
		consoles = []string{"tty0"}
	}
	for _, c := range consoles {
		front = append(front, "console="+c)
	}
	if !e.noCOS {
		front = append(front, "rd.cos.disable")
	}
	front = append(front, "vga=795")
	if m.arch == "amd64" {
		front = append(front, "nomodeset")
	}
	front = append(append(front, e.words...), "selinux=0")
	return front, append([]string{"rd.live.overlay.overlayfs"}, m.extra...)
}

// checkLabel fails for a volume identifier by which a live system would not
// find its medium. It looks for the name of a udev link, in which all but these
// characters become a backslash and digits; between GRUB, which doubles
// backslashes, and the scripts of dracut, which lose them, none arrives.
func checkLabel(id string) error {
	known := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("#+-.:=@_", r)
	}
	if id == "" || len(id) > maxVolumeID {
		return fmt.Errorf("volume identifier %q: want 1 to %d bytes", id, maxVolumeID)
	}
	for _, r := range id {
		if !known(r) {
			return fmt.Errorf("volume identifier %q: a live system cannot look for %q", id, r)
		}
	}
	return nil
}

// kernelWords splits text at blanks, as the kernel does: not between double
// quotes, which are no part of a word then. GRUB puts them around words with
// blanks again. It also puts a backslash before single quotes and backslashes,
// which the kernel takes as it is, so those cannot be passed.
func kernelWords(text string) ([]string, error) {
	if strings.ContainsAny(text, `'\`) {
		return nil, fmt.Errorf("command line %q: GRUB cannot pass single quotes and backslashes", text)
	}
	var words []string
	var word strings.Builder
	inside, started := false, false
	flush := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started = false
	}
	for _, r := range text {
		switch {
		case r == '"':
			inside, started = !inside, true
		case !inside && (r == ' ' || r == '\t'):
			flush()
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if inside {
		return nil, fmt.Errorf("command line %q: a quotation mark is missing", text)
	}
	flush()
	return words, nil
}
