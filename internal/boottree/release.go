package boottree

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
)

// maxRelease is how many bytes of a release file are read.
const maxRelease = 64 << 10

// A Release is what a tree says of itself.
type Release struct {
	Name   string            // for files made of the tree, such as "opensuse-tumbleweed-core-amd64-generic-v3.0.4"
	Arch   string            // by Go's names, such as "amd64"; "" if it does not say
	Title  string            // for people, such as "Debian GNU/Linux 12 (bookworm)"
	Values map[string]string // of all files; those of /etc/kairos-release win
}

// ReadRelease returns what the release files of fsys say. Without any, the
// error matches [fs.ErrNotExist].
func ReadRelease(fsys fs.FS) (*Release, error) {
	kairos, kairosErr := readValues(fsys, "etc/kairos-release")
	system, systemErr := readValues(fsys, "etc/os-release")
	if errors.Is(systemErr, fs.ErrNotExist) {
		system, systemErr = readValues(fsys, "usr/lib/os-release")
	}
	for _, err := range []error{kairosErr, systemErr} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if kairosErr != nil && systemErr != nil {
		return nil, fmt.Errorf("none of /etc/kairos-release, /etc/os-release and /usr/lib/os-release: %w", fs.ErrNotExist)
	}
	r := &Release{Values: make(map[string]string)}
	maps.Copy(r.Values, system)
	maps.Copy(r.Values, kairos)
	get := func(key string) string { return lookup(key, kairos, system) }
	arch := get("ARCH")
	if arch == "" {
		arch = get("TARGETARCH")
	}
	r.Arch, r.Title = goArch(arch), r.Values["PRETTY_NAME"]
	r.Name = releaseName(get, arch, kairosErr == nil)
	return r, nil
}

// lookup returns the value of KAIROS_key, or of key, from the first file that
// has one.
func lookup(key string, files ...map[string]string) string {
	for _, file := range files {
		for _, name := range []string{"KAIROS_" + key, key} {
			if value := file[name]; value != "" {
				return value
			}
		}
	}
	return ""
}

// releaseName joins what the tree says of its kind and version. Parts that it
// does not say are left out.
func releaseName(get func(key string) string, arch string, kairos bool) string {
	if !kairos {
		if name := joined(get("FLAVOR"), get("IMAGE_LABEL")); name != "" {
			return name
		}
		return joined(get("ID"), get("VERSION_ID"), arch)
	}
	parts := []string{get("FLAVOR"), get("FLAVOR_RELEASE"), get("VARIANT"), arch, get("MODEL"), get("VERSION")}
	if get("VARIANT") == "standard" {
		parts = append(parts, get("SOFTWARE_VERSION_PREFIX")+get("SOFTWARE_VERSION"))
	}
	return joined(parts...)
}

// joined joins parts that are not empty. What does not belong into the name
// of a file becomes an underscore.
func joined(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		for _, c := range part {
			if c > 127 || !strings.ContainsRune("+-.:_", c) && !isDigit(byte(c)) && !isLetter(byte(c)) {
				c = '_'
			}
			b.WriteRune(c)
		}
	}
	return strings.TrimLeft(b.String(), ".") // Not hidden, and no way up.
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// goArch returns Go's name of an architecture.
func goArch(arch string) string {
	switch arch {
	case "x86_64", "x86-64":
		return "amd64"
	case "aarch64":
		return "arm64"
	default:
		return arch
	}
}

// readValues reads the release file that name leads to in fsys.
func readValues(fsys fs.FS, name string) (map[string]string, error) {
	target, info, err := resolve(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: %w", name, fs.ErrNotExist)
	}
	f, err := fsys.Open(target)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	values, err := ParseValues(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return values, nil
}

// ParseValues reads lines of KEY=VALUE as a shell would, without expanding
// anything: values may stand in quotes, comments start with #, and `export` may
// come first. Other lines are ignored. At most 64 KiB are read.
func ParseValues(r io.Reader) (map[string]string, error) {
	values := make(map[string]string)
	lines := bufio.NewScanner(io.LimitReader(r, maxRelease))
	lines.Buffer(nil, maxRelease+1)
	for lines.Scan() {
		line := strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export ")
		key, value, ok := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); ok && key != "" && !strings.ContainsAny(key, " \t#\"'") {
			values[key] = unquote(strings.TrimSpace(value))
		}
	}
	return values, lines.Err()
}

// unquote returns the value at the start of s, without quotes and what is
// behind it.
func unquote(s string) string {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quote != '\'' && i+1 < len(s):
			if i++; quote == '"' && !strings.ContainsRune("\"\\$`", rune(s[i])) {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t'):
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
