package deb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

const (
	magic      = "!<arch>\n"
	headerSize = 60
	headerEnd  = "`\n"
	maxMembers = 16
	maxData    = 256 << 20 // bytes of data.tar
)

// Open returns the files of the package in r, which has size bytes. It keeps to
// the rules that the package comment of netbootkit gives for file trees. R is
// not needed any more when Open returns.
func Open(r io.ReaderAt, size int64) (fs.FS, error) {
	name, section, err := findData(r, size)
	if err != nil {
		return nil, fmt.Errorf("deb: %w", err)
	}
	data, err := uncompress(name, section)
	if err != nil {
		return nil, fmt.Errorf("deb: %s: %w", name, err)
	}
	tree, err := tartree.Scan(data, data.Size())
	if err != nil {
		return nil, fmt.Errorf("deb: %s: %w", name, err)
	}
	return treefs.New(tree, treefs.Tar(data)), nil
}

// findData returns name and content of the member that holds the files.
func findData(r io.ReaderAt, size int64) (string, *io.SectionReader, error) {
	var start [len(magic)]byte
	if _, err := r.ReadAt(start[:], 0); err != nil || string(start[:]) != magic {
		return "", nil, errors.New("no Debian package: it does not start with !<arch>")
	}
	at := int64(len(magic))
	for range maxMembers {
		name, length, err := readHeader(r, at)
		if err != nil {
			return "", nil, fmt.Errorf("member at byte %d: %w", at, err)
		}
		at += headerSize
		if length > size-at {
			return "", nil, fmt.Errorf("%s: %d bytes at byte %d: the package ends at byte %d", name, length, at, size)
		}
		section := io.NewSectionReader(r, at, length)
		if name == "debian-binary" {
			err = checkVersion(section)
		}
		if err != nil {
			return "", nil, err
		}
		if strings.HasPrefix(name, "data.tar") {
			return name, section, nil
		}
		at += length + length&1
	}
	return "", nil, fmt.Errorf("no data.tar among the first %d members", maxMembers)
}

// readHeader reads the header of the member at a byte.
func readHeader(r io.ReaderAt, at int64) (name string, length int64, err error) {
	var header [headerSize]byte
	if _, err := r.ReadAt(header[:], at); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the package ends without data.tar")
		}
		return "", 0, err
	}
	if string(header[58:]) != headerEnd {
		return "", 0, errors.New("no header of a member")
	}
	name = strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
	digits := strings.TrimRight(string(header[48:58]), " ")
	length, err = strconv.ParseInt(digits, 10, 64)
	if err != nil || length < 0 {
		return "", 0, fmt.Errorf("%q: its size %q is no number", name, digits)
	}
	return name, length, nil
}

// checkVersion reads the version of the format.
func checkVersion(r *io.SectionReader) error {
	version := make([]byte, 2)
	if _, err := io.ReadFull(r, version); err != nil || string(version) != "2." {
		return fmt.Errorf("debian-binary: format %q, not 2.0", version)
	}
	return nil
}

// uncompress returns the tar in the member called name.
func uncompress(name string, r *io.SectionReader) (*pages, error) {
	var plain io.ReadCloser
	var err error
	switch suffix := strings.TrimPrefix(name, "data.tar"); suffix {
	case "":
		plain = io.NopCloser(r)
	case ".gz":
		plain, err = newGzip(r)
	case ".xz":
		plain, err = newXZ(r)
	case ".zst":
		plain, err = newZstd(r)
	default:
		return nil, fmt.Errorf("compression %q: not gz, xz or zst", suffix)
	}
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return readPages(plain)
}
