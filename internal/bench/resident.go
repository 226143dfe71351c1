//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// A resident learns how much memory commands take. GNU time starts them: what the
// kernel tells of a process is never less than what the one that started it had,
// and time has little.
type resident struct{ file string }

// newResident returns one that keeps its file in dir, beside others.
func newResident(dir string) resident { return resident{filepath.Join(dir, "resident")} }

// command returns the command line of step, to be run.
func (r resident) command(step []string) []string {
	return append([]string{"time", "-q", "-f", "%M", "-o", r.file}, step...)
}

// mebibytes returns the most that the last command had.
func (r resident) mebibytes() (float64, error) {
	text, err := os.ReadFile(r.file)
	if err != nil {
		return 0, err
	}
	kibibytes, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	return kibibytes / 1024, err
}
