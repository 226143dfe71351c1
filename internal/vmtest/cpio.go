package vmtest

import (
	"bytes"
	"fmt"
)

// A cpio is an initramfs under construction, in the "newc" format of the
// kernel's Documentation/driver-api/early-userspace/buffer-format.rst: for each
// file a header of 110 ASCII bytes, its name and its data, each padded to four
// bytes.
type cpio struct {
	buf   bytes.Buffer
	inode int
}

// File types, as in st_mode.
const (
	typeFolder  = 0o040000
	typeRegular = 0o100000
	typeLink    = 0o120000
)

func (c *cpio) folder(name string)       { c.add(name, typeFolder|0o755, nil) }
func (c *cpio) link(name, target string) { c.add(name, typeLink|0o777, []byte(target)) }

// file adds an executable file.
func (c *cpio) file(name string, data []byte) { c.add(name, typeRegular|0o755, data) }

func (c *cpio) add(name string, mode int, data []byte) {
	c.inode++
	fields := []int{
		c.inode, mode,
		0, 0, 1, 0, // uid, gid, nlink, mtime
		len(data),
		0, 0, 0, 0, // device numbers
		len(name) + 1,
		0, // checksum, unused
	}
	c.buf.WriteString("070701")
	for _, v := range fields {
		fmt.Fprintf(&c.buf, "%08x", v)
	}
	c.buf.WriteString(name)
	c.buf.WriteByte(0)
	c.pad()
	c.buf.Write(data)
	c.pad()
}

func (c *cpio) pad() {
	for c.buf.Len()%4 != 0 {
		c.buf.WriteByte(0)
	}
}

// bytes ends the archive and returns it.
func (c *cpio) bytes() []byte {
	c.add("TRAILER!!!", 0, nil)
	return c.buf.Bytes()
}
