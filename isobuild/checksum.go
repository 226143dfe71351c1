package isobuild

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
)

// Checksum reads an image and returns the line of the `.sha256` file beside
// it: the digest in hexadecimal, one space, the name of the image, a line feed.
// An image of [Build] has to be read for that, since what it begins with is
// written last.
func Checksum(name string, image io.Reader) (string, error) {
	if name == "" || strings.ContainsAny(name, "\r\n") {
		return "", &Error{Op: "checksum", Err: fmt.Errorf("file name %q cannot stand in a line", name)}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, image); err != nil {
		return "", &Error{Op: "checksum", Path: name, Err: err}
	}
	return fmt.Sprintf("%x %s\n", sum.Sum(nil), name), nil
}
