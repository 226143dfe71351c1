package gpt_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

const mib = 1 << 20

// id returns an identifier that ends in n.
func id(n byte) gpt.GUID {
	g := gpt.GUID{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0x4D, 0xEF, 0x80}
	g[15] = n
	return g
}

// table returns a disk of 16 MiB with two partitions, as a live image has it.
func table() *gpt.Table {
	return &gpt.Table{
		Size: 16 * mib, ID: id(1), Active: true, BootCode: bytes.Repeat([]byte{0xEB}, 440),
		Partitions: []gpt.Partition{
			{Start: 64 * 512, Size: 8 * mib, Type: gpt.BasicData(), ID: id(2), Name: "ISO9660", Attributes: gpt.Required | gpt.ReadOnly},
			{Start: 64*512 + 8*mib, Size: 4 * mib, Type: gpt.EFISystem(), ID: id(3), Name: "ESP"},
		},
	}
}

// disk puts the ends of a table around zeros.
func disk(t *testing.T, table *gpt.Table) []byte {
	t.Helper()
	primary, backup, err := table.Encode()
	require.NoError(t, err)
	require.Len(t, primary, gpt.HeadSize)
	require.Len(t, backup, gpt.TailSize)
	b := make([]byte, table.Size)
	copy(b, primary)
	copy(b[len(b)-len(backup):], backup)
	return b
}

func TestTableEncode(t *testing.T) {
	t.Parallel()
	want := table()
	b := disk(t, want)
	sum := sha256.Sum256(b)
	assert.Equal(t, "10d9de9b87d3a14c66a782e68dcfecbdcc73f6d6d3db5fdf414220651da4e7b2", hex.EncodeToString(sum[:]))

	got, err := gpt.Read(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, b, disk(t, got), "what was read is written the same")
}

func TestTableEncodeBootRecord(t *testing.T) {
	t.Parallel()
	small, large := table(), table()
	large.Size, large.Active = 3<<40, false
	for name, c := range map[string]struct {
		table *gpt.Table
		slots string
	}{
		"16 MiB": {small, "00000200ee0a0802" + "01000000" + "ff7f0000" + "8000010000000100" + "00000000" + "01000000"},
		"3 TiB":  {large, "00000200eeffffff" + "01000000" + "ffffffff" + strings.Repeat("00", 16)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			primary, _, err := c.table.Encode()
			require.NoError(t, err)
			assert.Equal(t, bytes.Repeat([]byte{0xEB}, 440), primary[:440])
			assert.Equal(t, c.slots, hex.EncodeToString(primary[446:478]))
			assert.Equal(t, []byte{0x55, 0xAA}, primary[510:512])
		})
	}
}

func TestTableEncodeErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*gpt.Table)
		want   string
	}{
		"odd size":       {func(d *gpt.Table) { d.Size++ }, "multiple of 512"},
		"tiny":           {func(d *gpt.Table) { d.Size = 512 }, "at least 34304"},
		"boot code":      {func(d *gpt.Table) { d.BootCode = make([]byte, 441) }, "boot code of 441 bytes"},
		"disk ID":        {func(d *gpt.Table) { d.ID = gpt.GUID{} }, "disk has no identifier"},
		"no ID":          {func(d *gpt.Table) { d.Partitions[0].ID = gpt.GUID{} }, "partition 1: identifier"},
		"same ID":        {func(d *gpt.Table) { d.Partitions[1].ID = id(2) }, "partition 2: identifier"},
		"ID of the disk": {func(d *gpt.Table) { d.Partitions[1].ID = id(1) }, "partition 2: identifier"},
		"overlap":        {func(d *gpt.Table) { d.Partitions[1].Start -= 512 }, "partitions 1 and 2 overlap"},
		"empty":          {func(d *gpt.Table) { d.Partitions[1].Size = 0 }, "partition 2: 0 bytes"},
		"in the table":   {func(d *gpt.Table) { d.Partitions[0].Start = 33 * 512 }, "partition 1: 8388608 bytes at 16896"},
		"in the backup":  {func(d *gpt.Table) { d.Partitions[1].Size = 16*mib - d.Partitions[1].Start - 32*512 }, "between 17408 and 16760320"},
		"far too large":  {func(d *gpt.Table) { d.Partitions[1].Size = 1<<63 - 512 }, "partition 2"},
		"long name":      {func(d *gpt.Table) { d.Partitions[1].Name = strings.Repeat("😀", 19) }, "longer than 36 UTF-16 units"},
		"too many":       {func(d *gpt.Table) { d.Partitions = make([]gpt.Partition, 129) }, "129 partitions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := table()
			c.change(d)
			_, _, err := d.Encode()
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "gpt: ")
		})
	}
}

func TestTableEncodeWhenEntriesAreUnused(t *testing.T) {
	t.Parallel()
	d := table()
	d.Partitions = []gpt.Partition{{}, d.Partitions[1], {}, d.Partitions[0]}
	got, err := gpt.Read(bytes.NewReader(disk(t, d)), d.Size)
	require.NoError(t, err)
	assert.Equal(t, d.Partitions, got.Partitions)
}

func TestReadWhenPrimaryIsDamaged(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]int{"header": 512 + 16, "entries": 1024 + 40, "entry count": 512 + 83, "entry size": 512 + 84} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := table()
			b := disk(t, want)
			b[at] ^= 0x7F
			got, err := gpt.Read(bytes.NewReader(b), int64(len(b)))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	whole := disk(t, table())
	both := bytes.Clone(whole)
	both[512+16]++
	both[len(both)-512+16]++
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"none":         {make([]byte, mib), "no partition table"},
		"small":        {whole[:512], "no partition table"},
		"both damaged": {both, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := gpt.Read(bytes.NewReader(c.b), int64(len(c.b)))
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestParseGUID(t *testing.T) {
	t.Parallel()
	g, err := gpt.ParseGUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
	require.NoError(t, err)
	assert.Equal(t, gpt.EFISystem(), g)
	assert.Equal(t, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", g.String())
	assert.Equal(t, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", gpt.BasicData().String())
	assert.Equal(t, "21686148-6449-6E6F-744E-656564454649", gpt.BIOSBoot().String())
	for _, bad := range []string{"", "c12a7328f81f11d2ba4b00a0c93ec93b", "c12a7328-f81f-11d2-ba4b-00a0c93ec93", "g12a7328-f81f-11d2-ba4b-00a0c93ec93b", "c12a7328-f81f-11d2-ba4b-00a0c93-c93b"} {
		_, err := gpt.ParseGUID(bad)
		assert.Error(t, err, bad)
	}
}

// FuzzRead makes the header and the start of the entries; the checksums are
// made right, so that what is behind them is reached.
func FuzzRead(f *testing.F) {
	primary, _, err := table().Encode()
	require.NoError(f, err)
	f.Add(primary[512:512+92], primary[1024:1024+256])
	f.Add([]byte("EFI PART"), []byte{})
	f.Fuzz(func(t *testing.T, header, entries []byte) {
		b := make([]byte, 512*67)
		copy(b[512:], header[:min(len(header), 92)])
		copy(b[1024:], entries[:min(len(entries), 128*128)])
		fixSums(b)
		got, err := gpt.Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		assert.LessOrEqual(t, len(got.Partitions), 1024)
		if primary, _, err := got.Encode(); err == nil {
			again, err := gpt.Read(io.NewSectionReader(bytes.NewReader(append(primary, b[len(primary):]...)), 0, int64(len(b))), int64(len(b)))
			require.NoError(t, err)
			assert.Equal(t, got.Partitions, again.Partitions)
		}
	})
}

// fixSums makes the checksums of the first header right, where what they are
// of is in b.
func fixSums(b []byte) {
	header := b[512:1024]
	sector, count := binary.LittleEndian.Uint64(header[72:]), binary.LittleEndian.Uint32(header[80:])
	if sector < 67 && count <= 256 && sector*512+uint64(count)*128 <= uint64(len(b)) {
		entries := b[sector*512:]
		binary.LittleEndian.PutUint32(header[88:], crc32.ChecksumIEEE(entries[:count*128]))
	}
	clear(header[16:20])
	binary.LittleEndian.PutUint32(header[16:], crc32.ChecksumIEEE(header[:92]))
}
