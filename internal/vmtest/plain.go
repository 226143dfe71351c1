package vmtest

import (
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// controls matches the control sequences with which firmware draws screens,
// and all other control characters but the line break.
const controls = `\x1b\[[=?0-9;]*[A-Za-z]|\x1b[^\[]|[\x00-\x09\x0b-\x1f]`

// percent matches the progress that OVMF shows on one line.
const percent = `\s*Downloading\.\.\.\d+%`

// plain makes what a machine prints a text of lines.
func plain(text string) string {
	return regexp.MustCompile(controls+"|"+percent).ReplaceAllString(text, "")
}

// Plain returns a writer for the console of a machine, which hands lines on to
// w for people to read: as they are complete, without control characters,
// without more than one empty line in a row, and with what a guest reports in
// clear text.
func Plain(w io.Writer) io.Writer { return &plainWriter{w: w} }

type plainWriter struct {
	w     io.Writer
	line  []byte          // begun
	empty bool            // the last line was
	name  string          // of the section that is being reported, or ""
	data  strings.Builder // what was reported of it, as base64
}

func (p *plainWriter) Write(b []byte) (int, error) {
	for _, c := range b {
		p.line = append(p.line, c)
		if c != '\n' {
			continue
		}
		text := p.clear(plain(string(p.line)))
		p.line = p.line[:0]
		if _, err := io.WriteString(p.w, text); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// clear returns what is shown of a line.
func (p *plainWriter) clear(line string) string {
	word, name, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case word == "GUEST-BEGIN":
		p.name = name
		p.data.Reset()
		return ""
	case word == "GUEST-END":
		p.name = ""
		data, _ := base64.StdEncoding.DecodeString(p.data.String())
		return fmt.Sprintf("guest: %s:\n%s\n", name, strings.TrimSpace(string(data)))
	case p.name != "":
		p.data.WriteString(word)
		return ""
	}
	again := p.empty
	p.empty = word == ""
	if again && p.empty {
		return ""
	}
	return line
}
