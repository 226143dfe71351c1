package isobuild

import (
	"io"
	"io/fs"
	"path"
	"strings"
)

// maxMenu is how much of a menu is read, in bytes.
const maxMenu = 1 << 20

// cmdline returns the command line of the first menu entry that boots kernel.
func (im *Image) cmdline(kernel string) string {
	for _, pattern := range []string{
		"boot/grub2/grub.cfg", "boot/grub/grub.cfg", "boot/grub/*.cfg", "EFI/BOOT/grub.cfg",
		"isolinux/*.cfg", "syslinux/*.cfg", path.Join(path.Dir(kernel), "*.cfg"),
	} {
		for _, name := range glob(im, pattern) {
			text, err := readMenu(im, name)
			if err != nil {
				continue // Other menus say the same.
			}
			for _, find := range []func(name, text, kernel string) ([]string, bool){grubWords, syslinuxWords} {
				if words, ok := find(name, text, kernel); ok {
					return strings.Join(portable(words), " ")
				}
			}
		}
	}
	return ""
}

// readMenu returns a configuration file, or the start of it. Lines that end in
// a backslash go on in the next one.
func readMenu(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMenu))
	return strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\\\n", " "), err
}

// portable returns words without those that name the medium.
func portable(words []string) []string {
	var rest []string
	for _, w := range words {
		medium := false
		for _, prefix := range []string{"root=live:", "inst.stage2=", "initrd=", "BOOT_IMAGE="} {
			medium = medium || strings.HasPrefix(w, prefix)
		}
		if !medium {
			rest = append(rest, w)
		}
	}
	return rest
}

// grubWords returns the words after the kernel in the first command of GRUB
// that loads it. Variables are those that were set above it.
func grubWords(_, text, kernel string) ([]string, bool) {
	vars := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		for command := range strings.SplitSeq(line, ";") {
			words := grubFields(inBlock(command))
			if len(words) < 2 || strings.HasPrefix(words[0], "#") {
				continue
			}
			switch words[0] {
			case "set":
				name, value, _ := strings.Cut(words[1], "=")
				vars[name] = expand(value, vars)
			case "linux", "linuxefi", "linux16", "$linux":
				expanded := strings.Fields(expand(strings.Join(words[1:], " "), vars))
				if len(expanded) > 0 && samePath(expanded[0], kernel) {
					return expanded[1:], true
				}
			}
		}
	}
	return nil, false
}

// inBlock returns what is behind the last brace that opens a block, and before
// the one that closes it: menu entries may be on one line.
func inBlock(command string) string {
	for i := len(command) - 1; i >= 0; i-- {
		if command[i] == '{' && (i == 0 || command[i-1] != '$') { // That of a variable opens none.
			command = command[i+1:]
			break
		}
	}
	return strings.TrimSuffix(strings.TrimRight(command, " \t"), " }")
}

// grubFields splits a command as GRUB does: at blanks that are not quoted.
func grubFields(s string) []string {
	var words []string
	var word strings.Builder
	quote, started := rune(0), false
	flush := func() {
		if started {
			words = append(words, word.String())
			word.Reset()
			started = false
		}
	}
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, started = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			flush()
		default:
			word.WriteRune(c)
			started = true
		}
	}
	flush()
	return words
}

// expand puts in variables, which are empty if they were not set.
func expand(s string, vars map[string]string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var name string
		if braced, ok := strings.CutPrefix(after, "{"); ok {
			name, s, _ = strings.Cut(braced, "}")
		} else {
			end := strings.IndexFunc(after, func(c rune) bool {
				return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
			})
			if end < 0 {
				end = len(after)
			}
			name, s = after[:end], after[end:]
		}
		b.WriteString(vars[name])
	}
}

// samePath says whether a menu's name, which may start with a device in
// parentheses, is that of the kernel.
func samePath(name, kernel string) bool {
	if strings.HasPrefix(name, "(") {
		_, name, _ = strings.Cut(name, ")")
	}
	return strings.EqualFold(path.Join("/", name), "/"+kernel)
}

// syslinuxWords returns the words of the first label of ISOLINUX that loads
// kernel.
func syslinuxWords(config, text, kernel string) ([]string, bool) {
	var loads bool
	var words []string
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "label":
			if loads {
				return words, true
			}
			words = nil
		case "kernel", "linux":
			if !path.IsAbs(value) {
				value = path.Join(path.Dir(config), value)
			}
			loads = samePath(value, kernel)
		case "append":
			words = strings.Fields(value)
		}
	}
	return words, loads
}
