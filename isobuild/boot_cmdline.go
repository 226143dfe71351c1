package isobuild

import (
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
)

const (
	maxMenu     = 1 << 20  // how much of a menu is read, in bytes
	maxMenus    = 64       // that are read for one pattern
	maxValue    = 64 << 10 // how long a text with its variables may become, in bytes
	maxExpanded = 16 << 20 // how long all such texts of one menu may be
)

// cmdline returns the command line of the first menu entry that boots kernel.
func cmdline(tree fs.FS, kernel string) string {
	for _, pattern := range []string{
		"boot/grub2/grub.cfg", "boot/grub/grub.cfg", "boot/grub/*.cfg", "EFI/BOOT/grub.cfg",
		"isolinux/*.cfg", "syslinux/*.cfg", path.Join(path.Dir(kernel), "*.cfg"),
	} {
		names := glob(tree, pattern)
		for _, name := range names[:min(len(names), maxMenus)] {
			text, err := readMenu(tree, name)
			if err != nil {
				continue // Other menus say the same.
			}
			// ISOLINUX first: its "linux" alone would pass for a command of GRUB without words.
			for _, find := range []func(name, text, kernel string) ([]string, bool){syslinuxWords, grubWords} {
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
	vars := grubVars{values: make(map[string]string), always: make(map[string]bool), left: maxExpanded}
	for words := range grubCommands(text) {
		switch words[0] {
		case "if":
			vars.depth++
		case "fi":
			vars.depth = max(vars.depth-1, 0)
		case "set":
			vars.set(words[1:])
		case "linux", "linuxefi", "linux16", "$linux":
			expanded := strings.Fields(vars.expand(strings.Join(words[1:], " ")))
			if len(expanded) > 0 && samePath(expanded[0], kernel) {
				return expanded[1:], true
			}
		}
		if vars.left < 0 {
			break
		}
	}
	return nil, false
}

// grubCommands returns the words of each command of a menu, without those that
// only introduce it.
func grubCommands(text string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
				continue
			}
			for command := range strings.SplitSeq(line, ";") {
				words := grubFields(inBlock(command))
				for len(words) > 0 && (words[0] == "then" || words[0] == "else") {
					words = words[1:]
				}
				if len(words) > 0 && !yield(words) {
					return
				}
			}
		}
	}
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

// grubVars are the variables of a menu.
type grubVars struct {
	values map[string]string
	always map[string]bool // those that were set without a condition
	depth  int             // of conditions
	left   int             // of maxExpanded
}

// set sets a variable. What is set under a condition counts only if the variable
// is not set without one: which conditions hold, only the machine knows.
func (v *grubVars) set(words []string) {
	if len(words) == 0 {
		return
	}
	name, value, _ := strings.Cut(words[0], "=")
	if v.depth == 0 || !v.always[name] {
		v.values[name] = v.expand(value)
	}
	v.always[name] = v.always[name] || v.depth == 0
}

// expand puts in variables, which are empty if they were not set. What becomes
// too long is given up, and is empty: a variable can double itself on each line.
func (v *grubVars) expand(s string) string {
	var b strings.Builder
	defer func() { v.left -= b.Len() }()
	for b.Len() <= maxValue {
		before, after, found := strings.Cut(s, "$")
		b.WriteString(before)
		if !found {
			break
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
		b.WriteString(v.values[name])
	}
	if b.Len() > maxValue {
		return ""
	}
	return b.String()
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
// kernel. Menus of GRUB have no labels.
func syslinuxWords(config, text, kernel string) ([]string, bool) {
	var labelled, loads bool
	var words []string
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), " ")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "label":
			if loads {
				return words, true
			}
			labelled, words = true, nil
		case "kernel", "linux":
			if !path.IsAbs(value) {
				value = path.Join(path.Dir(config), value)
			}
			loads = labelled && samePath(value, kernel)
		case "append":
			words = strings.Fields(value)
		}
	}
	return words, loads
}
