package installed

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Program is the place of the program in the root file system, and Init the
// word of the command line that has it run.
const (
	Program = "usr/sbin/installed-report"
	Init    = "init=/" + Program
)

// What the program may be asked for, by a word of the command line.
const (
	// Fill has it write to the root until nothing more fits, read that back,
	// and delete it.
	Fill = "report=fill"

	// Recover has it do what the Kairos of a recovery partition does at its
	// first boot: it mounts COS_OEM and carries out the stages that are there.
	Recover = "report=recover"
)

// A Report is what a system found.
type Report struct {
	Cmdline string // of its kernel, without the line break at its end
	UEFI    bool   // whether the firmware is UEFI
	Mounts  string // the file /proc/self/mounts
	Seed    []byte // the user-data of NoCloud, or nil
	Filled  *Filled
	Recover *Recovered
}

// Filled says how the root was filled, in bytes.
type Filled struct {
	Free    int64 // before
	Written int64 // what fitted
	Left    int64 // free when nothing more fitted
	After   int64 // free when that was deleted
	Wrong   int64 // how much did not read back as it was written
}

// Recovered says how stages were carried out.
type Recovered struct {
	Mode    bool              // whether /run/cos/recovery_mode was there
	OEM     map[string][]byte // the files of COS_OEM, as they were before
	Steps   []string          // which were carried out, in order, as "stage: name"
	Agent   [][]string        // the arguments of kairos-agent's calls
	Devices []string          // with a file system, as "label type"
}

// Mount returns the device and the type of what is mounted at a folder, and
// its options.
func (r *Report) Mount(target string) (device, kind, options string, err error) {
	for line := range strings.Lines(r.Mounts) {
		if f := strings.Fields(line); len(f) >= 4 && f[1] == target {
			device, kind, options = f[0], f[2], f[3]
		}
	}
	if device == "" {
		err = fmt.Errorf("installed: nothing is mounted at %s: %s", target, r.Mounts)
	}
	return device, kind, options, err
}

// begin is what a report on the serial line begins with.
const begin = "INSTALLED-REPORT "

// Done matches what the console shows when nothing more is to come: a report,
// or why there is none.
const Done = `(?m)^INSTALLED-(REPORT|FAILED) .*\n|Kernel panic|dracut.*(FATAL|Warning: Not all disks)|Dropping to debug shell|grub rescue>|error: out of memory|No bootable (option|device)`

// Print prints a report as one line.
func (r *Report) Print(w io.Writer) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", begin, text)
	return err
}

// Read reads the report on a console.
func Read(console string) (*Report, error) {
	_, text, ok := strings.Cut(console, begin)
	if !ok {
		return nil, fmt.Errorf("installed: no report: %s", regexp.MustCompile(Done).FindString(console))
	}
	text, _, _ = strings.Cut(text, "\n")
	var r Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("installed: report: %w", err)
	}
	return &r, nil
}
