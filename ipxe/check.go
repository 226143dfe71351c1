package ipxe

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of values in a script. iPXE has none; these keep a script small.
const (
	maxURL  = 4096 // bytes
	maxText = 8192 // bytes; the longest command line of any Linux is 4096
)

// check says why s cannot be written. The names of its fields start with at.
func (s *Script) check(at string) error {
	if err := s.checkKind(at); err != nil {
		return err
	}
	checks := []error{
		checkLine(at+"Message", s.Message),
		checkWords(at+"Cmdline", s.Cmdline),
	}
	if s.Kernel != "" {
		checks = append(checks, checkURL(at+"Kernel", s.Kernel))
	}
	if s.Booting != "" {
		checks = append(checks, checkURL(at+"Booting", s.Booting))
	}
	for i, u := range s.Initrd {
		checks = append(checks, checkURL(fmt.Sprintf("%sInitrd[%d]", at, i), u))
	}
	if s.Menu != nil {
		checks = append(checks, checkMenu(at+"Menu.", s.Menu))
	}
	i := slices.IndexFunc(checks, func(err error) bool { return err != nil })
	if i < 0 {
		return nil
	}
	return checks[i]
}

// checkKind checks which fields of s are set, and the numbers.
func (s *Script) checkKind(at string) error {
	set := 0
	for _, is := range []bool{s.Kernel != "", s.Local != LocalNone, s.Menu != nil} {
		if is {
			set++
		}
	}
	refuse := func(field string, value any, reason string) error {
		return &ScriptError{Field: at + field, Value: fmt.Sprint(value), Reason: reason}
	}
	switch {
	case set != 1:
		return refuse("Kernel", s.Kernel, "a script has exactly one of Kernel, Local and Menu")
	case s.Kernel == "" && len(s.Initrd) > 0:
		return refuse("Initrd", s.Initrd[0], "there is no kernel to use it")
	case s.Kernel == "" && s.Cmdline != "":
		return refuse("Cmdline", s.Cmdline, "there is no kernel to use it")
	case len(s.Initrd) > maxInitrds:
		return refuse("Initrd", len(s.Initrd), fmt.Sprintf("more than %d", maxInitrds))
	case s.Retries > maxRetries:
		return refuse("Retries", s.Retries, fmt.Sprintf("more than %d", maxRetries))
	case s.Timeout != 0 && (s.Timeout < time.Millisecond || s.Timeout > maxTimeout):
		return refuse("Timeout", s.Timeout, "not in 1ms..1h")
	case s.OnFailure < FailExit || s.OnFailure > FailShell:
		return refuse("OnFailure", s.OnFailure, "no such choice")
	case s.Local < LocalNone || s.Local > LocalNotFound:
		return refuse("Local", s.Local, "no such choice")
	case s.Local == LocalNotFound:
		return refuse("Local", s.Local, "an HTTP status is not a script; a Handler sends it")
	}
	return nil
}

// checkURL says why u cannot be the address in a command that fetches. It
// must be one word which iPXE neither expands nor cuts.
func checkURL(field, u string) error {
	refuse := func(reason string) error {
		return &ScriptError{Field: field, Value: u, Reason: reason}
	}
	for _, c := range []byte(u) {
		if c <= ' ' || c > '~' {
			return refuse("holds a space, a control character or one beyond ASCII; percent-encode it")
		}
	}
	parsed, err := url.Parse(u)
	switch {
	case len(u) > maxURL:
		return refuse(fmt.Sprintf("longer than %d bytes", maxURL))
	case strings.Contains(u, "${"):
		return refuse("iPXE would expand ${")
	case strings.Contains(u, "#"):
		return refuse("a fragment is never sent, and iPXE reads ##params as a command")
	case err != nil:
		return refuse("not a URL")
	case parsed.Host == "" || !letters(parsed.Scheme):
		return refuse("not an absolute URL of the form scheme://host/path")
	}
	return nil
}

// letters says whether s is a URL scheme that iPXE can read.
func letters(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// checkLine says why text cannot be the end of a line.
func checkLine(field, text string) error {
	if err := checkWords(field, text); err != nil {
		return err
	}
	if strings.HasSuffix(text, `\`) {
		return &ScriptError{Field: field, Value: text, Reason: "iPXE joins a line that ends in a backslash with the next"}
	}
	return nil
}

// checkWords says why text cannot be the last words of a command. iPXE splits
// a line at white space, ends a command at a word &&, || or ;, and the line
// at a word that starts with #; then it expands ${ in each word, and joins
// the words with single spaces.
func checkWords(field, text string) error {
	refuse := func(reason string) error {
		return &ScriptError{Field: field, Value: text, Reason: reason}
	}
	switch {
	case text == "":
		return nil
	case len(text) > maxText:
		return refuse(fmt.Sprintf("longer than %d bytes", maxText))
	case !utf8.ValidString(text):
		return refuse("not UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return refuse("holds a line break or another control character")
	case strings.Contains(text, "${"):
		return refuse("iPXE would expand ${, and knows no escape")
	}
	for word := range strings.SplitSeq(text, " ") {
		switch {
		case word == "":
			return refuse("starts or ends with a space, or has two in a row; iPXE would drop one")
		case word == "&&", word == "||", word == ";":
			return refuse("the word " + word + " ends a command in iPXE")
		case word[0] == '#':
			return refuse("a word that starts with # begins a comment in iPXE")
		}
	}
	return nil
}
