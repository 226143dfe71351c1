package ipxe_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An interpreter runs scripts as iPXE does. It is written from iPXE's
// sources (image/script.c, core/exec.c, core/getopt.c, core/settings.c), not
// from our renderer, and knows the commands that a boot script needs. It
// records what the machine did.
type interpreter struct {
	fetch    func(url string) error // the network; nil succeeds
	bootable bool                   // whether boot starts the kernel
	choice   string                 // the item chosen in a menu; "" takes the default
	platform string

	settings map[string]string
	images   map[string]string // name to URL
	cmdline  string
	items    []string
	trace    []string
	steps    int
}

// errStop ends a script; the machine left iPXE, or its shell took over.
var (
	errStop   = errors.New("stopped")
	errGoto   = errors.New("goto")
	errFailed = errors.New("failed")
)

// run interprets script until it ends, and returns the trace.
func (in *interpreter) run(script string) ([]string, error) {
	if !strings.HasPrefix(script, "#!ipxe\n") {
		return nil, errors.New("no magic")
	}
	in.settings = map[string]string{"platform": in.platform}
	in.images = make(map[string]string)
	lines := joinLines(script)
	for at := 0; at < len(lines); at++ {
		if in.steps++; in.steps > 100000 {
			return in.trace, errors.New("endless")
		}
		_, command := splitLabel(lines[at])
		target, err := in.system(command)
		switch {
		case errors.Is(err, errStop):
			return in.trace, nil
		case errors.Is(err, errGoto):
			at = -1
			for i, line := range lines {
				if label, _ := splitLabel(line); label == target {
					at = i - 1 // The label's own line is run next.
					break
				}
			}
			if at == -1 && !labelled(lines, target) {
				return in.trace, fmt.Errorf("no label %q", target)
			}
		case err != nil:
			in.record("script failed: %v", err)
			return in.trace, nil
		}
	}
	in.record("end of script")
	return in.trace, nil
}

func labelled(lines []string, target string) bool {
	label, _ := splitLabel(lines[0])
	return label == target
}

// joinLines splits a script into lines and joins those that end in a
// backslash with the next.
func joinLines(script string) []string {
	var lines []string
	line := ""
	for part := range strings.SplitSeq(script, "\n") {
		line += strings.TrimSuffix(part, "\r")
		if rest, ok := strings.CutSuffix(line, `\`); ok {
			line = rest
			continue
		}
		lines = append(lines, line)
		line = ""
	}
	return lines
}

func splitLabel(line string) (label, command string) {
	line = strings.TrimLeft(line, " \t\n\v\f\r")
	if !strings.HasPrefix(line, ":") {
		return "", line
	}
	if i := strings.IndexAny(line, " \t\n\v\f\r"); i >= 0 {
		return line[1:i], line[i+1:]
	}
	return line[1:], ""
}

// system runs one line.
func (in *interpreter) system(command string) (string, error) {
	tokens := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) })
	process := true
	var err error
	for {
		argc, op := len(tokens), ""
	scan:
		for i, token := range tokens {
			switch {
			case token[0] == '#':
				argc = i
				break scan
			case token == "||", token == "&&", token == ";":
				argc, op = i, token
				break scan
			}
		}
		if process {
			var argv []string
			for _, token := range tokens[:argc] {
				argv = append(argv, in.expand(token))
			}
			var target string
			target, err = in.exec(argv)
			if errors.Is(err, errGoto) || errors.Is(err, errStop) {
				return target, err
			}
		}
		switch op {
		case "":
			return "", err
		case "||":
			process = err != nil
		case "&&":
			process = err == nil
		case ";":
			process = true
		}
		tokens = tokens[argc+1:]
	}
}

// expand replaces settings, innermost first.
func (in *interpreter) expand(s string) string {
	for {
		end := -1
		start := -1
		for i := range len(s) {
			if strings.HasPrefix(s[i:], "${") {
				start = i
			}
			if start >= 0 && s[i] == '}' {
				end = i
				break
			}
		}
		if end < 0 {
			return s
		}
		s = s[:start] + in.settings[s[start+2:end]] + s[end+1:]
	}
}

// options takes leading options from argv. Those in flags have no value.
func options(argv []string, values ...string) (map[string]string, []string, error) {
	got := make(map[string]string)
	for len(argv) > 0 && strings.HasPrefix(argv[0], "-") {
		name := argv[0]
		argv = argv[1:]
		if name == "--" {
			break
		}
		known := false
		for _, v := range values {
			if name == "--"+strings.TrimSuffix(v, "=") {
				known = true
				if strings.HasSuffix(v, "=") {
					if len(argv) == 0 {
						return nil, nil, errFailed
					}
					got[strings.TrimSuffix(v, "=")], argv = argv[0], argv[1:]
				}
			}
		}
		if !known {
			return nil, nil, fmt.Errorf("unknown option %q", name)
		}
	}
	return got, argv, nil
}

// exec runs one command.
func (in *interpreter) exec(argv []string) (string, error) {
	if len(argv) == 0 {
		return "", nil
	}
	command, args := argv[0], argv[1:]
	switch command {
	case "echo":
		_, args, err := options(args)
		in.record("echo %s", strings.Join(args, " "))
		return "", err
	case "imgfree":
		for _, name := range args {
			if _, ok := in.images[name]; !ok {
				return "", errFailed
			}
			delete(in.images, name)
		}
		if len(args) == 0 {
			clear(in.images)
		}
		return "", nil
	case "set":
		name, _, _ := strings.Cut(args[0], ":")
		in.settings[name] = strings.Join(args[1:], " ")
		return "", nil
	case "inc":
		by := 1
		if len(args) == 2 {
			n, err := strconv.Atoi(args[1])
			if err != nil {
				return "", errFailed
			}
			by = n
		}
		n, _ := strconv.Atoi(in.settings[args[0]])
		in.settings[args[0]] = strconv.Itoa(n + by)
		return "", nil
	case "iseq":
		if len(args) != 2 || args[0] != args[1] {
			return "", errFailed
		}
		return "", nil
	case "sleep":
		in.record("sleep %s", args[0])
		return "", nil
	case "goto":
		return args[0], errGoto
	case "kernel", "initrd", "imgfetch":
		return "", in.image(command, args)
	case "boot":
		if _, ok := in.images[args[0]]; !ok {
			return "", errFailed
		}
		in.cmdline = strings.Join(args[1:], " ")
		in.record("boot %s", strings.Join(args, " "))
		if in.bootable {
			return "", errStop
		}
		return "", errFailed
	case "menu", "item", "choose":
		return "", in.menu(command, args)
	case "sanboot":
		in.record("sanboot %s", strings.Join(args, " "))
		return "", errFailed
	case "exit", "reboot", "shell":
		in.record("%s", strings.Join(argv, " "))
		return "", errStop
	default:
		return "", fmt.Errorf("command not found: %q", command)
	}
}

// image runs a command that fetches.
func (in *interpreter) image(command string, args []string) error {
	opts, args, err := options(args, "name=", "timeout=")
	if err != nil || len(args) != 1 {
		return errFailed
	}
	if _, err := strconv.ParseUint(opts["timeout"], 10, 32); err != nil {
		return errFailed
	}
	in.record("%s %s", command, args[0])
	if in.fetch != nil {
		if err := in.fetch(args[0]); err != nil {
			return err
		}
	}
	in.images[opts["name"]] = args[0]
	return nil
}

// menu runs the commands of menus.
func (in *interpreter) menu(command string, args []string) error {
	switch command {
	case "menu":
		_, args, err := options(args)
		in.record("menu %s", strings.Join(args, " "))
		in.items = nil
		return err
	case "item":
		_, args, err := options(args)
		if err != nil || len(args) < 2 {
			return errFailed
		}
		in.record("item %s", strings.Join(args[1:], " "))
		in.items = append(in.items, args[0])
		return nil
	default:
		opts, args, err := options(args, "default=", "timeout=")
		if err != nil || len(args) != 1 || len(in.items) == 0 {
			return errFailed
		}
		choice := in.choice
		if choice == "" {
			choice = opts["default"]
		}
		if choice == "" {
			choice = in.items[0]
		}
		in.settings[args[0]] = choice
		return nil
	}
}

func (in *interpreter) record(format string, args ...any) {
	in.trace = append(in.trace, fmt.Sprintf(format, args...))
}
