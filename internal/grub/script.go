package grub

import (
	"fmt"
	"strings"
)

// Quote returns words as GRUB's script language takes them, with blanks
// between.
func Quote(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-+=:,./@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Serial returns commands that show the menu of a BIOS on the first serial one
// of the consoles, which are named as Linux has them, as well, at the speed that
// Linux will use. UEFI does so by itself. Without a serial console it is "".
func Serial(consoles []string) string {
	for _, console := range consoles {
		device, options, _ := strings.Cut(console, ",")
		unit, ok := strings.CutPrefix(device, "ttyS")
		if !ok || unit == "" || strings.Trim(unit, "0123456789") != "" {
			continue
		}
		speed := options[:len(options)-len(strings.TrimLeft(options, "0123456789"))]
		if speed == "" {
			speed = "9600" // Linux's own default
		}
		return fmt.Sprintf(`if [ "${grub_platform}" = "pc" ]; then
    if serial --unit=%s --speed=%s; then
        terminal_input --append serial
        terminal_output --append serial
    fi
fi`, unit, speed)
	}
	return ""
}
