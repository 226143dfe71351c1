package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestHints shows the hints of all formats, firmware and architectures.
func TestHints(t *testing.T) {
	t.Parallel()

	var text strings.Builder
	for _, u := range []use{
		{arch: "amd64", uefi: true},
		{arch: "amd64", uefi: true, room: 35},
		{arch: "amd64"},
		{arch: "arm64", uefi: true},
		{arch: "riscv64", uefi: true},
	} {
		for _, f := range formats() {
			u.path = "out/my d" + f.suffix
			fmt.Fprintf(&text, "== %s, %s, UEFI %t, room %d\n%s\n", f.name, u.arch, u.uefi, u.room, f.hints(u))
		}
	}
	golden.Check(t, "hints.txt", []byte(text.String()))
}

// TestRoom adds up what a Kairos has and adds.
func TestRoom(t *testing.T) {
	t.Parallel()

	l := &diskimage.Layout{Size: 2 << 30, Partitions: []diskimage.Partition{{Label: "oem", Size: 1 << 30}, {Label: "recovery", Size: 1 << 30}}}
	assert.EqualValues(t, 10, room(l, 0), "2 GiB, 3 GiB and 100 MiB, 4 GiB")
	assert.EqualValues(t, 7, room(l, 1024))
}
