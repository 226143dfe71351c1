package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Check returns why a file called name cannot be made: there is no such folder,
// something that is no file has the name, or it would be written over one of
// inputs, whatever path leads there. Inputs that are no files are left aside.
func Check(name string, inputs ...string) error {
	switch base := filepath.Base(name); {
	case name == "-":
		return errors.New("- is no file: what is made cannot go to the standard output")
	case strings.ContainsAny(base, "\r\n"):
		return fmt.Errorf("file name %q cannot stand in the line of its digest", base)
	}
	folder := filepath.Dir(name)
	if info, err := os.Stat(folder); err != nil {
		return fmt.Errorf("%s cannot be made there: %w", name, err)
	} else if !info.IsDir() {
		return fmt.Errorf("%s cannot be made there: %s is not a folder", name, folder)
	}
	for _, made := range []string{name, name + partial, name + digest, name + digest + partial} {
		if err := checkOld(made, inputs); err != nil {
			return err
		}
	}
	return nil
}

// checkOld returns why what is called name must not be replaced.
func checkOld(name string, inputs []string) error {
	old, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !old.Mode().IsRegular() {
		return fmt.Errorf("%s is %s, which a file would replace: name another, and copy it there", name, kind(old.Mode()))
	}
	for _, input := range inputs {
		if info, err := os.Stat(input); err == nil && os.SameFile(old, info) {
			return fmt.Errorf("%s would be written over %s, of which it is made", name, input)
		}
	}
	return nil
}

// kind says what is no regular file.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeDevice != 0:
		return "a device"
	default:
		return "no file"
	}
}
