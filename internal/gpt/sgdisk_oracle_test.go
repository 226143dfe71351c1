package gpt_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

func TestTableEncodeAsOthersReadIt(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "sgdisk")
	oracle.Need(t, "sfdisk")
	for name, active := range map[string]bool{"active": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := table()
			want.Active = active
			file := filepath.Join(t.TempDir(), "disk")
			require.NoError(t, os.WriteFile(file, disk(t, want), 0o600))
			assert.Contains(t, oracle.Run(t, "sgdisk", "-v", file), "No problems found")
			assert.Contains(t, oracle.Run(t, "sfdisk", "--verify", file), "No errors detected")
			first := oracle.Run(t, "sgdisk", "-i", "1", file)
			assert.Contains(t, first, "Partition unique GUID: "+id(2).String())
			assert.Contains(t, first, "Attribute flags: 1000000000000001")
			assert.Contains(t, first, "Partition name: 'ISO9660'")
			second := oracle.Run(t, "sgdisk", "-i", "2", file)
			assert.Contains(t, second, "(EFI system partition)")
			assert.Contains(t, second, "First sector: 16448 ")
		})
	}
}

// TestReadWhenXorrisoWrote reads 248 entries, a backup that is not in the last
// sector, and the active entry.
func TestReadWhenXorrisoWrote(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	esp, file := filepath.Join(dir, "esp"), filepath.Join(dir, "iso")
	require.NoError(t, os.WriteFile(esp, make([]byte, mib), 0o600))
	oracle.Run(t, "xorriso", "-outdev", file, "-padding", "0", "-map", esp, "/esp",
		"-append_partition", "2", "0xef", esp, "-boot_image", "any", "appended_part_as=gpt",
		"-boot_image", "any", "partition_offset=16", "-boot_image", "any", "mbr_force_bootable=on")
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)

	got, err := gpt.Read(f, info.Size())
	require.NoError(t, err)
	require.Len(t, got.Partitions, 2)
	assert.True(t, got.Active)
	assert.EqualValues(t, 64*512, got.Partitions[0].Start)
	assert.Equal(t, gpt.Required|gpt.ReadOnly, got.Partitions[0].Attributes)
	assert.Equal(t, gpt.EFISystem(), got.Partitions[1].Type)
	assert.EqualValues(t, mib, got.Partitions[1].Size)
	_, _, err = got.Encode()
	assert.NoError(t, err, "what xorriso wrote can be written again")
}
