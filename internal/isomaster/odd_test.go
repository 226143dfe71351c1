package isomaster_test

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// limits are what a reader can take.
type limits struct {
	name   int   // of a regular file, in bytes
	target int   // of a link, in bytes
	minor  int64 // of a device
	whole  bool  // files have to lie in one piece
	few    bool  // files to wait for
}

// linux has the limits of the kernel, which are ours.
var linux = limits{name: 253, target: 4095, minor: 1<<20 - 1}

// oddDisc has one of everything that is hard to record and within limits.
func oddDisc(t *testing.T, most limits) *disc {
	t.Helper()
	d := newDisc(t)
	d.volume.ID = "Fedora-WS-Live-41 (x86) Disc 100"
	d.volume.System, d.volume.Set, d.volume.Application = "LINUX", "a set", "netbootkit"
	d.file("empty", "", 0o644)
	d.file("block", strings.Repeat("x", iso9660.BlockSize), 0o644)
	d.file("block and a byte", strings.Repeat("y", iso9660.BlockSize+1), 0o600)
	d.file("setuid", "s", 0o4755)
	d.file("setgid and sticky", "s", 0o3711)
	d.folder("empty folder")
	d.file(".hidden", "h", 0o644)
	d.file("no.dots.in..the.end.", "", 0o644)
	d.file("trailing blank ", "", 0o644)
	d.file("; semi:colon*?\\\x01", "forbidden", 0o644)
	d.file("\xff\xfe not UTF-8", "latin", 0o644)
	d.file("ümläut-日本語-😀", "wide", 0o644)
	d.file("UPPER", "1", 0o644)
	d.file("upper", "2", 0o644)
	d.file("Upper", "3", 0o644)
	d.folder("UPPER.")
	if !most.whole {
		scattered(d)
	}
	oddNames(d, most.name)
	many := 3000
	if most.few {
		many = 30
	}
	for i := range many {
		d.file(fmt.Sprintf("many/file number %d.txt", i), strings.Repeat("m", i%3), 0o644)
	}
	oddLinks(d, most.target)
	oddSpecials(d, most.minor)
	return d
}

// scattered adds a file whose parts lie in the order third, first, second.
func scattered(d *disc) {
	const part = iso9660.BlockSize
	text := strings.Repeat("1", part) + strings.Repeat("2", 2*part) + strings.Repeat("3", 5)
	n := d.file("scattered", text[3*part:]+strings.Repeat("\x00", part-5)+text[:3*part], 0o644)
	at := n.Extents[0].Block
	n.Extents = []iso9660.Extent{{Block: at + 1, Size: part}, {Block: at + 2, Size: 2 * part}, {Block: at, Size: 5}}
	d.want["scattered"] = fileEntry(n.Header, text)
}

// oddNames adds names up to a length, and names that are alike when cut.
func oddNames(d *disc, longest int) {
	for i, n := range []int{30, 31, 60, 64, 65, 99, 100, 126, 127, 128, 180, 200, 249, 250, 251, 252, 253} {
		if n <= longest {
			d.file("names/"+strings.Repeat(string(rune('a'+i)), n), fmt.Sprint(n), 0o644)
		}
	}
	for i := range 60 { // More than 64 characters are the same, and more than 31.
		d.file(fmt.Sprintf("names/%s%03d.extension", strings.Repeat("alike", 14), i), fmt.Sprint(i), 0o644)
		d.file(fmt.Sprintf("names/%s%03d", strings.Repeat("日本", min(longest-3, 240)/6), i), fmt.Sprint(i), 0o644)
	}
	d.file(strings.Repeat("deep/", 20)+"file", "deep", 0o644)
	d.file(strings.Repeat("a folder with a long name, as long as the others; ", 5)+"/file", "long", 0o644)
}

// oddLinks adds symbolic links, many of them too long for a record, and hard
// links.
func oddLinks(d *disc, longest int) {
	for i, target := range []string{
		"/", ".", "..", "a", "/a", "./a", "../a", "a/", "a//b", "//a", "../../..", "/usr/lib/../bin/.", "...", "a/.../b",
		strings.Repeat("x", 4095), strings.Repeat("a/", 2047) + "b", strings.Repeat("../", 1365), strings.Repeat("./", 2047) + ".",
		"/" + strings.Repeat("0123456789/", 372) + "ab", strings.Repeat("y", 248), strings.Repeat("y", 249), strings.Repeat("y", 250),
		strings.Repeat("z", 247) + "/", strings.Repeat("z", 246) + "//", strings.Repeat("z", 245) + "/../.", "/" + strings.Repeat("z", 246) + "/z",
		strings.Repeat("z", 248) + "/" + strings.Repeat("z", 248) + "/" + strings.Repeat("z", 500) + "/./",
	} {
		if len(target) <= longest {
			d.symlink(fmt.Sprintf("links/%02d", i), target)
		}
	}
	for i := range 60 { // More than a record holds, many times in one directory.
		name := fmt.Sprintf("links/%s%02d", strings.Repeat("n", 150+i), i)
		d.symlink(name, strings.Repeat(strings.Repeat("t", 10+i)+"/", 14)+"end")
	}
	d.file("hard/first", "several names", 0o640)
	d.link("hard/second", "hard/first")
	d.link("another", "hard/first")
	d.special("hard/device", &tar.Header{Typeflag: tar.TypeChar, Mode: 0o600, Devmajor: 1, Devminor: 3, ModTime: modified})
	d.link("hard/device too", "hard/device")
}

func oddSpecials(d *disc, highest int64) {
	for _, n := range [][2]int64{{8, 1}, {0, 0}, {0, 5}, {1, 255}, {7, 256}, {7, 70000}, {4095, 1}, {259, 3}, {511, 1 << 19}} {
		if n[1] > highest {
			continue
		}
		h := header(tar.TypeBlock, 0o660)
		h.Devmajor, h.Devminor = n[0], n[1]
		d.special(fmt.Sprintf("dev/b%d-%d", n[0], n[1]), h)
	}
	h := header(tar.TypeChar, 0o666)
	h.Devmajor, h.Devminor = 5, 1
	d.special("dev/console", h)
	d.special("dev/fifo", header(tar.TypeFifo, 0o600))
	d.special("dev/socket", header(tar.TypeReg, 0o140755))
	for name, at := range map[string]time.Time{
		"1969": time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC),
		"2024": time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
		"2037": time.Date(2037, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		h := header(tar.TypeReg, 0o644)
		h.ModTime = at
		d.special("times/"+name, h)
		d.want["times/"+name] = fileEntry(h, "")
	}
	d.outside("boot/uefi.img", strings.Repeat("ESP", 5000))
}
