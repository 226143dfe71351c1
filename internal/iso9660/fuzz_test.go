package iso9660_test

import (
	"bytes"
	"io"
	"io/fs"
	"testing"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

func FuzzOpen(f *testing.F) {
	for _, name := range []string{"genisoimage", "xorriso"} {
		b := sample(f, name)
		f.Add(b[16*iso9660.BlockSize:min(len(b), 80*iso9660.BlockSize)], byte(0)) // without the padding
	}
	c := newCraft(40)
	c.directory(rootBlock, dirRecord("X", 30, 2048, 0x80, nm("x")), dirRecord("X", 32, 1, 0, nm("x")))
	f.Add(c.bytes[16*iso9660.BlockSize:], byte(iso9660.RockRidge))
	f.Fuzz(func(t *testing.T, b []byte, names byte) {
		b = append(make([]byte, 16*iso9660.BlockSize), b...)
		im, err := iso9660.Open(bytes.NewReader(b), int64(len(b)), iso9660.WithNames(iso9660.Names(names%5)))
		if err != nil {
			return
		}
		_, _ = im.Catalog()
		_ = im.Volume()
		err = fs.WalkDir(im, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if _, err := im.Lstat(name); err != nil {
				t.Fatalf("%q is listed, but: %v", name, err)
			}
			extents, _ := im.Extents(name)
			for _, e := range extents {
				if int64(e.Block)*iso9660.BlockSize+e.Size > int64(len(b)) {
					t.Fatalf("%q has %v outside the image", name, e)
				}
			}
			if file, err := im.Open(name); err == nil {
				checkFile(t, name, file)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// checkFile reads what is at most 1 MiB of a file.
func checkFile(t *testing.T, name string, file fs.File) {
	t.Helper()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() { // at the end of a link
		return
	}
	n, err := io.Copy(io.Discard, io.LimitReader(file, 1<<20))
	if err != nil || n != min(info.Size(), 1<<20) {
		t.Fatalf("%q has %d bytes, read %d: %v", name, info.Size(), n, err)
	}
}
