package manifest

import (
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"io"
)

// A Mount is something that a guest mounts, read-only, and lists.
type Mount struct {
	Type    string // of the file system, as in /proc/filesystems
	Options string // separated by commas
	Device  string // of the guest; or, if In is not nil, the path of a file
	In      *Mount // the file system that the file lies in
}

// A Result is what became of a Mount.
type Result struct {
	Manifest Manifest
	Err      string // why there is none, or ""
	Log      string // what the kernel said, at the level of warnings or worse
}

// maxResult is how many bytes ReadResults accepts.
const maxResult = 1 << 30

// WriteResults writes results to a disk.
func WriteResults(w io.WriteSeeker, results []Result) error {
	const header = 8 // The size, which is known last.
	if _, err := w.Seek(header, io.SeekStart); err != nil {
		return err
	}
	if err := gob.NewEncoder(w).Encode(results); err != nil {
		return err
	}
	end, err := w.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := w.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return binary.Write(w, binary.BigEndian, uint64(end-header))
}

// ReadResults reads what WriteResults wrote.
func ReadResults(r io.Reader) ([]Result, error) {
	var size uint64
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return nil, fmt.Errorf("manifest: results: %w", err)
	}
	if size == 0 || size > maxResult {
		return nil, fmt.Errorf("manifest: results: %d bytes, expected 1 to %d: the guest did not get to its end", size, maxResult)
	}
	var results []Result
	if err := gob.NewDecoder(io.LimitReader(r, int64(size))).Decode(&results); err != nil {
		return nil, fmt.Errorf("manifest: results: %w", err)
	}
	return results, nil
}
