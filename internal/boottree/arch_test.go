package boottree_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/boottree"
)

func TestKernelArch(t *testing.T) {
	t.Parallel()
	pe := func(machine string) string {
		head := []byte(strings.Repeat("\x00", 0x100))
		copy(head, "MZ\x00\x00zimg")
		head[0x3C] = 0x80
		copy(head[0x80:], "PE\x00\x00"+machine)
		return string(head)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(strings.Repeat("\x00", 0x38) + "ARM\x64"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, test := range map[string]struct{ head, want string }{
		"empty":           {"", ""},
		"text":            {"#!/bin/sh\n", ""},
		"amd64":           {strings.Repeat("\x00", 0x202) + "HdrS", "amd64"},
		"arm64":           {strings.Repeat("\x00", 0x38) + "ARM\x64", "arm64"},
		"riscv64":         {strings.Repeat("\x00", 0x30) + "RISCV\x00\x00\x00", "riscv64"},
		"packed arm64":    {pe("\x64\xAA"), "arm64"},
		"packed riscv64":  {pe("\x64\x50"), "riscv64"},
		"stub amd64":      {pe("\x64\x86"), "amd64"},
		"odd PE":          {pe("\x01\x02"), ""},
		"short PE":        {pe("\x64\xAA")[:0x82], ""},
		"begins as gzip":  {"\x1F\x8B", ""},
		"gzip that stops": {packed.String()[:12], ""},
		"gzip":            {packed.String(), "arm64"},
	} {
		got, err := boottree.KernelArch(fstest.MapFS{"kernel": {Data: []byte(test.head)}}, "kernel")
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got, name)
	}
	_, err = boottree.KernelArch(fstest.MapFS{}, "kernel")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
