package cloudconfig

import (
	"strings"
	"unicode"
)

const (
	mask     = "***"
	maxKey   = 64 // bytes of a key that is shown
	maxBlank = 40 // bytes of indentation that are shown
)

// maskLine returns line as an error may show it. What is a value cannot be
// told in YAML that does not parse, so everything is masked but indentation,
// list dashes and keys.
func maskLine(line string) string {
	rest := strings.TrimLeft(line, " \t")
	indent := line[:len(line)-len(rest)]
	var b strings.Builder
	b.WriteString(indent[:min(len(indent), maxBlank)])
	for range 8 { // lists in lists
		after, ok := strings.CutPrefix(rest, "- ")
		if !ok {
			break
		}
		b.WriteString("- ")
		rest = strings.TrimLeft(after, " \t")
	}
	if key, after, ok := strings.Cut(rest, ":"); ok && isKey(key) && (after == "" || strings.ContainsAny(after[:1], " \t")) {
		b.WriteString(key + ":")
		if rest = strings.TrimSpace(after); rest != "" {
			b.WriteByte(' ')
		}
	}
	if strings.TrimSpace(rest) != "" {
		b.WriteString(mask)
	}
	return b.String()
}

// isKey reports whether s looks like the key of a mapping, and not like a
// value that came to stand where a key belongs.
func isKey(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-./@", r) {
			return false
		}
	}
	return s != "" && len(s) <= maxKey
}

// showKey returns a key as an error may show it.
func showKey(key string) string {
	if !isKey(key) {
		return mask
	}
	return key
}

// isSecret reports whether the value of key is one of those that no error shows
// any part of, not even the keys in it.
func isSecret(key string) bool {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	for _, word := range []string{"passwd", "password", "passphrase", "secret", "token", "private", "credential", "authorized_key", "ssh_key", "psk"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
