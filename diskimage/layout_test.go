package diskimage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/gpt"
)

// places returns where the partitions of a layout are, in MiB.
func places(l *diskimage.Layout) [][2]int64 {
	var all [][2]int64
	for _, p := range l.Partitions {
		all = append(all, [2]int64{p.Start / miB, p.Size / miB})
	}
	return all
}

func TestOpenPlacesPartitions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		layout diskimage.Layout
		want   [][2]int64
		size   int64 // in MiB
	}{
		"nothing":             {diskimage.Layout{}, nil, 2},
		"zero values":         {diskimage.Layout{Partitions: make([]diskimage.Partition, 2)}, [][2]int64{{1, 1}, {2, 1}}, 4},
		"what fits":           {diskimage.Layout{Partitions: []diskimage.Partition{{Content: wantedContent{need: 3*miB + 1}}, {}}}, [][2]int64{{1, 4}, {5, 1}}, 7},
		"given size":          {diskimage.Layout{Size: 10 * miB, Partitions: []diskimage.Partition{{Size: 2 * miB}}}, [][2]int64{{1, 2}}, 10},
		"odd size":            {diskimage.Layout{Partitions: []diskimage.Partition{{Size: miB + 512}, {Size: miB}}}, [][2]int64{{1, 1}, {3, 1}}, 5},
		"given start":         {diskimage.Layout{Partitions: []diskimage.Partition{{Start: 8 * miB}, {}, {Start: 4 * miB, Size: 2 * miB}}}, [][2]int64{{8, 1}, {9, 1}, {4, 2}}, 11},
		"rest":                {diskimage.Layout{Size: 10 * miB, Partitions: []diskimage.Partition{{}, {Size: diskimage.Rest}}}, [][2]int64{{1, 1}, {2, 7}}, 10},
		"rest, started":       {diskimage.Layout{Size: 10 * miB, Partitions: []diskimage.Partition{{}, {Start: 4 * miB, Size: diskimage.Rest}}}, [][2]int64{{1, 1}, {4, 5}}, 10},
		"rest of what fits":   {diskimage.Layout{Partitions: []diskimage.Partition{{Size: diskimage.Rest, Content: wantedContent{need: 5}}}}, [][2]int64{{1, 1}}, 3},
		"rest in a DOS table": {diskimage.Layout{Size: 10 * miB, MBR: true, Partitions: []diskimage.Partition{{}, {Size: diskimage.Rest}}}, [][2]int64{{1, 1}, {2, 8}}, 10},
		"DOS table":           {diskimage.Layout{MBR: true, Partitions: make([]diskimage.Partition, 4)}, [][2]int64{{1, 1}, {2, 1}, {3, 1}, {4, 1}}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := test.layout
			disk := opened(t, &test.layout)
			assert.Equal(t, test.want, places(disk.Layout()))
			assert.Equal(t, test.size*miB, disk.Size())
			assert.Equal(t, disk.Size(), disk.Layout().Size)
			assert.Equal(t, before, test.layout, "the layout that was given stays as it is")
		})
	}
}

func TestOpenTellsAllFaults(t *testing.T) {
	t.Parallel()
	id := diskimage.TypeRoot("amd64")
	for name, test := range map[string]struct {
		layout diskimage.Layout
		want   []string
	}{
		"numbers": {diskimage.Layout{Size: 1000, Boot: make([]byte, 441), Partitions: []diskimage.Partition{
			{Label: "a", Size: 100}, {Size: diskimage.Rest}, {Start: 512}, {Size: -2, Label: strings.Repeat("n", 37)}, {Start: -miB},
		}}, []string{
			"size 1000 bytes", "boot code of 441 bytes", `partition 1 "a": size 100`, "partition 2: only the last one",
			"partition 3: start 512", "size -2 bytes", "longer than 36", "partition 5: start -1048576",
		}},
		"identifiers": {diskimage.Layout{ID: id, Partitions: []diskimage.Partition{{ID: id}, {ID: diskimage.TypeLinux()}, {ID: diskimage.TypeLinux()}}}, []string{
			"partition 1: identifier 4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 is that of the disk", "is that of partition 2",
		}},
		"too many":            {diskimage.Layout{Partitions: make([]diskimage.Partition, 129)}, []string{"129 partitions, at most 128"}},
		"type of a DOS table": {diskimage.Layout{Partitions: []diskimage.Partition{{MBRType: 7}}}, []string{"type 0x7 is one of a DOS table"}},
		"DOS table": {diskimage.Layout{MBR: true, Partitions: []diskimage.Partition{
			{Label: "a"}, {Attributes: diskimage.Required}, {Type: diskimage.TypeBIOSBoot()}, {}, {},
		}}, []string{"5 partitions, at most 4", `partition 1 "a": a DOS table has no labels`, "partition 2: a DOS table", "partition 3: type 21686148"}},
		"overlaps": {diskimage.Layout{Partitions: []diskimage.Partition{{Size: 4 * miB}, {Start: 2 * miB}, {Start: 2 * miB}}}, []string{
			"partition 1 ends at 5242880, behind the start of partition 2 at 2097152", "partition 2 ends at 3145728, behind the start of partition 3",
		}},
		"too small": {diskimage.Layout{Partitions: []diskimage.Partition{
			{Label: "a", Size: miB, Content: wantedContent{need: 3 * miB}}, {Size: miB, Content: wantedContent{need: miB + 100}},
		}}, []string{`partition 1 "a" has 1 MiB and needs 3 MiB, which is 2 MiB more`, "partition 2 has 1 MiB and needs 1049088 bytes, which is 512 bytes more"}},
		"disk too small": {diskimage.Layout{Size: 3 * miB, Partitions: make([]diskimage.Partition, 2)}, []string{
			"the disk has 3 MiB and needs 3162624 bytes, which is 16896 bytes more",
		}},
		"no rest": {diskimage.Layout{Size: 4 * miB, Partitions: []diskimage.Partition{{Size: 2 * miB}, {Label: "r", Size: diskimage.Rest, Content: wantedContent{need: 2 * miB}}}}, []string{
			`the disk has 4 MiB and needs 5259776 bytes, which is 1065472 bytes more: partition 2 "r" takes what is left`,
		}},
		"DOS table too large": {diskimage.Layout{MBR: true, Partitions: []diskimage.Partition{{Size: 3 << 40}}}, []string{"reaches to 2199023255040 bytes"}},
		"beyond all":          {diskimage.Layout{Partitions: []diskimage.Partition{{Size: 1 << 60}, {Size: 1 << 60}}}, []string{"partition 1 ends at"}},
		"beyond all numbers": {diskimage.Layout{Size: 4 * miB, Partitions: append(
			slices.Repeat([]diskimage.Partition{{Size: 1 << 60}}, 12), diskimage.Partition{Size: diskimage.Rest},
		)}, []string{"the disk has 4 MiB and needs"}},
		"content that lies":  {diskimage.Layout{Partitions: []diskimage.Partition{{Content: wantedContent{data: strings.Repeat("x", miB+1)}}}}, []string{"partition 1: the partition has 1 MiB and needs 1048577 bytes"}},
		"content beyond all": {diskimage.Layout{Partitions: []diskimage.Partition{{Content: wantedContent{need: 1 << 62}}}}, []string{"partition 1: its content wants"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := diskimage.Open(t.Context(), &test.layout)
			var own *diskimage.Error
			require.ErrorAs(t, err, &own)
			assert.Equal(t, "open", own.Op)
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Equal(t, len(test.want), strings.Count(err.Error(), "\n")+1, err)
		})
	}
}

// TestOpenWhenTheBootCodeFindsNothing edits presets for a BIOS.
func TestOpenWhenTheBootCodeFindsNothing(t *testing.T) {
	t.Parallel()
	loaders := diskimage.WithLoaders(biosModules(t))
	for want, preset := range map[string]func() (*diskimage.Layout, error){
		`partition 4 "recovery": the boot code looks for it in partition 3 of a GPT:`: func() (*diskimage.Layout, error) {
			return diskimage.BIOS(t.Context(), smallRoot(), loaders)
		},
		`partition 3 "root": the boot code looks for it in partition 2 of a GPT:`: func() (*diskimage.Layout, error) {
			return diskimage.Plain(t.Context(), smallRoot(), diskimage.FirmwareBIOS, loaders)
		},
		`partition 4 "root": the boot code looks for it in partition 3 of a GPT:`: func() (*diskimage.Layout, error) {
			return diskimage.Plain(t.Context(), smallRoot(), 0, loaders)
		},
	} {
		l, err := preset()
		require.NoError(t, err)
		opened(t, l)
		l.Partitions = slices.Insert(l.Partitions, 1, diskimage.Partition{Label: "mine"})
		_, err = diskimage.Open(t.Context(), l)
		require.ErrorContains(t, err, want)
		l.Partitions[0].Start = 0
		_, err = diskimage.Open(t.Context(), l)
		require.ErrorContains(t, err, `partition 1 "bios": the boot code looks for it at 1048576: start it there`)
		l.Boot = nil
		opened(t, l)
		l.Partitions = slices.Delete(l.Partitions, 1, 2)
		l.Partitions[0].Start = miB
		l.Boot, l.Partitions = []byte("code"), append(l.Partitions, diskimage.Partition{Label: "mine"})
		l.Partitions[len(l.Partitions)-2].Size = 0 // Of a plain disk, it was the rest.
		opened(t, l)
	}
}

func TestOpenDerivesIdentifiers(t *testing.T) {
	t.Parallel()
	layout := func(label string) *diskimage.Layout {
		return &diskimage.Layout{Partitions: []diskimage.Partition{{Label: label}, {Type: diskimage.TypeEFI()}}}
	}
	first, again, other := opened(t, layout("a")).Layout(), opened(t, layout("a")).Layout(), opened(t, layout("b")).Layout()
	assert.Equal(t, first, again)
	assert.NotEqual(t, first.ID, other.ID)
	assert.NotEqual(t, first.Partitions[0].ID, first.Partitions[1].ID)
	assert.Equal(t, diskimage.TypeLinux(), first.Partitions[0].Type)
	assert.Equal(t, "5", first.ID.String()[14:15], "the version of a UUID made of a name")
}

func TestOpenDrawsIdentifiers(t *testing.T) {
	t.Parallel()
	draw := func(seed byte) *diskimage.Layout {
		return opened(t, &diskimage.Layout{Partitions: make([]diskimage.Partition, 2)}, diskimage.WithRand(rand.NewChaCha8([32]byte{seed}))).Layout()
	}
	assert.Equal(t, draw(1), draw(1))
	assert.NotEqual(t, draw(1).ID, draw(2).ID)
	assert.NotEqual(t, draw(1).Partitions[0].ID, draw(1).Partitions[1].ID)
	assert.Equal(t, "4", draw(1).ID.String()[14:15])

	_, err := diskimage.Open(t.Context(), new(diskimage.Layout), diskimage.WithRand(iotest.ErrReader(errors.New("dry"))))
	assert.EqualError(t, err, "diskimage: open: drawing an identifier: dry")
}

func TestLayoutFromJSON(t *testing.T) {
	t.Parallel()
	var l diskimage.Layout
	require.NoError(t, json.Unmarshal([]byte(`{"Size": 8388608, "ID": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
		"Partitions": [{"Label": "a", "Type": "21686148-6449-6E6F-744E-656564454649", "Size": -1}]}`), &l))
	assert.Equal(t, diskimage.TypeEFI(), l.ID)
	assert.Equal(t, diskimage.TypeBIOSBoot(), l.Partitions[0].Type)
	assert.Equal(t, [][2]int64{{1, 6}}, places(opened(t, &l).Layout()))
	back, err := json.Marshal(l)
	require.NoError(t, err)
	assert.Contains(t, string(back), `"ID":"C12A7328-F81F-11D2-BA4B-00A0C93EC93B"`)
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"ID": "x"}`), &l), `GUID "x"`)
}

func TestDiskHasItsTable(t *testing.T) {
	t.Parallel()
	disk := opened(t, &diskimage.Layout{Boot: []byte("boot code"), Partitions: []diskimage.Partition{
		{Label: "größe", Content: text("first"), Attributes: diskimage.Required | diskimage.GrowFileSystem},
		{Type: diskimage.TypeEFI(), Content: text("second")},
	}})
	table, err := gpt.Read(disk, disk.Size())
	require.NoError(t, err)
	assert.Equal(t, "boot code", string(bytes.TrimRight(table.BootCode, "\x00")))
	l := disk.Layout()
	assert.Equal(t, l.ID.String(), table.ID.String())
	require.Len(t, table.Partitions, 2)
	for i, p := range table.Partitions {
		assert.Equal(t, l.Partitions[i].Start, p.Start)
		assert.Equal(t, l.Partitions[i].Size, p.Size)
		assert.Equal(t, l.Partitions[i].Label, p.Name)
		assert.Equal(t, l.Partitions[i].Attributes, p.Attributes)
		assert.Equal(t, l.Partitions[i].ID.String(), p.ID.String())
		assert.Equal(t, l.Partitions[i].Type.String(), p.Type.String())
		b := make([]byte, 6)
		_, err := disk.ReadAt(b, p.Start)
		require.NoError(t, err)
		assert.Equal(t, []string{"first\x00", "second"}[i], string(b))
		part := disk.Partition(i)
		assert.Equal(t, p.Size, part.Size())
		_, err = part.ReadAt(b, 0)
		require.NoError(t, err)
		assert.Equal(t, []string{"first\x00", "second"}[i], string(b))
		start, end, ok := part.(diskimage.Sparse).NextData(0)
		assert.Equal(t, []int64{0, int64(5 + i)}, []int64{start, end}, ok)
		_, _, ok = part.(diskimage.Sparse).NextData(end)
		assert.False(t, ok)
	}
}
