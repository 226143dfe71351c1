package live

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// Init is the word of the command line that has the program report run.
const Init = "init=/usr/sbin/live-report"

// Medium is where the image is mounted in a live system.
const Medium = "/run/initramfs/live"

// The files of the medium, and of the root file system's /etc, that are read
// have at most these many bytes. Without KVM, more takes long.
const (
	MaxMedia = 256 << 10
	MaxEtc   = 16
)

// A Report is what a live system found.
type Report struct {
	Cmdline    string // of its kernel, without the line break at its end
	UEFI       bool   // whether the firmware is UEFI
	SecureBoot bool   // whether its Secure Boot is on
	Mounts     []Mount
	Etc        manifest.Manifest // the folder /etc of its root file system
	Media      manifest.Manifest // the image, at Medium
	Config     []byte            // the file config.yaml of the image, or nil
}

// A Mount is a line of /proc/self/mounts.
type Mount struct{ Source, Target, Type, Options string }

// Mount returns what is mounted at a folder.
func (r *Report) Mount(target string) (Mount, error) {
	for _, m := range r.Mounts {
		if m.Target == target {
			return m, nil
		}
	}
	return Mount{}, fmt.Errorf("live: nothing is mounted at %s: %v", target, r.Mounts)
}

// What encloses a report on the serial line.
const (
	begin = "LIVE-BEGIN\n"
	end   = "LIVE-END\n"
)

// Done matches what the console shows when nothing more is to come: a report,
// or why there is none.
const Done = `(?m)^LIVE-END$|^LIVE-FAILED.*|Kernel panic|dracut.*(FATAL|Warning: Not all disks)|Dropping to debug shell`

// Print prints a report.
func (r *Report) Print(w io.Writer) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(gob.NewEncoder(z).Encode(r), z.Close()); err != nil {
		return err
	}
	const width = 76
	text := []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
	out := []byte(begin)
	for len(text) > 0 {
		n := min(width, len(text))
		out = append(append(out, text[:n]...), '\n')
		text = text[n:]
	}
	_, err := w.Write(append(out, end...))
	return err
}

// Read reads the report on a console.
func Read(console string) (*Report, error) {
	_, text, ok := strings.Cut(console, begin)
	text, _, ended := strings.Cut(text, end)
	if !ok || !ended {
		return nil, fmt.Errorf("live: no report: %s", regexp.MustCompile(Done).FindString(console))
	}
	data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
	if err != nil {
		return nil, fmt.Errorf("live: report: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("live: report: %w", err)
	}
	var r Report
	if err := gob.NewDecoder(z).Decode(&r); err != nil {
		return nil, fmt.Errorf("live: report: %w", err)
	}
	return &r, nil
}
