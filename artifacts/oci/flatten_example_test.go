package oci_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// archive is a layer made in the program.
type archive []byte

// Info implements [oci.Layer].
func (a archive) Info() artifacts.Info { return artifacts.Info{Size: int64(len(a))} }

// Open implements [oci.Layer].
func (a archive) Open(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(a)), nil
}

// newArchive returns a layer with empty files.
func newArchive(names ...string) archive {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}); err != nil {
			fmt.Println(err)
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
	return buf.Bytes()
}

func ExampleFlatten() {
	layers := []oci.Layer{
		newArchive("etc/hostname", "etc/machine-id"),
		newArchive("etc/.wh.machine-id", "usr/bin/agent"), // A whiteout removes what is below.
	}

	var out bytes.Buffer
	if err := oci.Flatten(context.Background(), &out, layers); err != nil {
		fmt.Println(err)
		return
	}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(h.FileInfo().Mode(), h.Name)
	}
	// Output:
	// drwxr-xr-x ./
	// drwxr-xr-x etc/
	// -rw-r--r-- etc/hostname
	// drwxr-xr-x usr/
	// drwxr-xr-x usr/bin/
	// -rw-r--r-- usr/bin/agent
}
