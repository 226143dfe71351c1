package firmware_test

import (
	"bytes"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/ipxe/firmware"
)

func newSet(t *testing.T, opts ...firmware.Option) *firmware.Set {
	t.Helper()
	set, err := firmware.NewSet(opts...)
	require.NoError(t, err)
	return set
}

func TestSetProgram(t *testing.T) {
	t.Parallel()

	set := newSet(t)
	want := map[uint16]firmware.Program{
		0:  {Name: "undionly.kpxe", Size: 93955, Embedded: true},
		7:  {Name: "ipxe.efi", Size: 1035264, Embedded: true},
		11: {Name: "snp.efi", Size: 267264, Embedded: true},
	}
	want[20] = want[0]
	want[9], want[16], want[17] = want[7], want[7], want[7]
	want[19] = want[11]
	for code := range uint16(300) {
		got, ok := set.Program(code)
		assert.Equal(t, want[code], got, "code %d", code)
		assert.Equal(t, want[code].Name != "", ok, "code %d", code)
	}
}

func TestSetProgramWithTree(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name  string
		code  uint16
		files []string // in the tree, best first
		last  string   // what is left when none of them is there
	}{
		{"bios", 0, []string{"undionly.kpxe", "ipxe.pxe", "x86_64/undionly.kpxe", "i386/ipxe.pxe"}, "undionly.kpxe"},
		{"i386", 6, []string{"shimia32.efi", "snponly-i386.efi", "i386/snponly.efi", "i386/ipxe.efi"}, ""},
		{"i386 http", 15, []string{"i386/ipxe.efi"}, ""},
		{"x86-64", 7, []string{
			"shimx64.efi", "x86_64-sb/shimx64.efi", "snponly-x86_64.efi", "ipxe-x86_64.efi",
			"x86_64/snponly.efi", "x86_64/ipxe.efi", "snponly.efi", "ipxe.efi",
		}, "ipxe.efi"},
		{"arm32", 10, []string{"arm32/snponly.efi"}, ""},
		{"arm64", 19, []string{"arm64-sb/shimaa64.efi", "arm64/ipxe.efi", "snp.efi"}, "snp.efi"},
		{"riscv32", 25, []string{"riscv32/snponly.efi"}, ""},
		{"riscv64", 27, []string{"riscv64/snponly.efi"}, ""},
		{"loong64", 39, []string{"shimloongarch64.efi", "loong64/snponly.efi"}, ""},
		{"itanium", 2, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			tree := fstest.MapFS{"other.efi": {Data: []byte("other")}}
			for _, name := range tt.files {
				tree[name] = &fstest.MapFile{Data: []byte("own")}
			}
			set := newSet(t, firmware.WithTree(tree))
			for _, name := range tt.files {
				got, ok := set.Program(tt.code)
				assert.True(t, ok)
				assert.Equal(t, firmware.Program{Name: name, Size: 3}, got)
				data, err := fs.ReadFile(set, name)
				require.NoError(t, err)
				assert.Equal(t, "own", string(data))
				delete(tree, name)
			}
			got, ok := set.Program(tt.code)
			assert.Equal(t, tt.last, got.Name)
			assert.Equal(t, tt.last != "", ok)
		})
	}
}

func TestSetOpen(t *testing.T) {
	t.Parallel()

	set := newSet(t)
	require.NoError(t, fstest.TestFS(set, "undionly.kpxe", "ipxe.efi", "snp.efi"))
	data, err := fs.ReadFile(set, "undionly.kpxe")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(binary.Undionly, data), "the BIOS program stays as it is")

	for _, name := range []string{"ipxe.iso", "../ipxe.efi", "/ipxe.efi", "x/ipxe.efi", ""} {
		_, err := set.Open(name)
		assert.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}

func TestSetOpenWithTree(t *testing.T) {
	t.Parallel()

	set := newSet(t, firmware.WithTree(fstest.MapFS{
		"snp.efi":                {Data: []byte("newer")},
		"x86_64-sb/shimx64.efi":  {Data: []byte("shim")},
		"x86_64-sb/grubx64.efi":  {Data: []byte("second stage")},
		"grub/x86_64-efi/all.mo": {Data: []byte("module")},
	}))
	require.NoError(t, fstest.TestFS(set, "undionly.kpxe", "ipxe.efi", "snp.efi", "x86_64-sb/grubx64.efi"))
	data, err := fs.ReadFile(set, "snp.efi")
	require.NoError(t, err)
	assert.Equal(t, "newer", string(data))
}

func TestSetFilesShareNoOffset(t *testing.T) {
	t.Parallel()

	set := newSet(t)
	f, err := set.Open("ipxe.efi")
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, f, 1000)
	require.NoError(t, err)
	other, err := set.Open("ipxe.efi")
	require.NoError(t, err)
	head := make([]byte, 2)
	_, err = other.(io.ReaderAt).ReadAt(head, 0)
	require.NoError(t, err)
	assert.Equal(t, "MZ", string(head))
	_, err = other.Read(head)
	require.NoError(t, err)
	assert.Equal(t, "MZ", string(head))
}

func TestSetOpenWithMachine(t *testing.T) {
	t.Parallel()

	set, err := firmware.NewSet(firmware.WithTree(fstest.MapFS{"sub/grubx64.efi": {Data: []byte("grub")}}))
	require.NoError(t, err)
	for _, name := range []string{"sub/grubx64.efi", "52:54:00:12:34:56/sub/grubx64.efi", "52-54-00-12-34-56/sub/grubx64.efi"} {
		got, err := fs.ReadFile(set, name)
		require.NoError(t, err)
		assert.Equal(t, "grub", string(got))
	}
	_, err = set.Open("52:54:00:12:34/sub/grubx64.efi")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = set.Open("52:54:00:12:34:56/52:54:00:12:34:56/sub/grubx64.efi")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
