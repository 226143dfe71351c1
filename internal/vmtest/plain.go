package vmtest

import (
	"io"
	"regexp"
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

// Plain returns a writer that hands lines on to w as they are complete,
// without control characters and without more than one empty line in a row.
func Plain(w io.Writer) io.Writer { return &plainWriter{w: w} }

type plainWriter struct {
	w     io.Writer
	line  []byte // begun
	empty bool   // the last line was
}

func (p *plainWriter) Write(b []byte) (int, error) {
	for _, c := range b {
		p.line = append(p.line, c)
		if c != '\n' {
			continue
		}
		text := plain(string(p.line))
		p.line = p.line[:0]
		if text == "\n" && p.empty {
			continue
		}
		p.empty = text == "\n"
		if _, err := io.WriteString(p.w, text); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
