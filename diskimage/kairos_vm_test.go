package diskimage_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// vmKairosMenu is GRUB's configuration of a recovery partition, which does what
// that of a Kairos does: it takes the entry that grubenv of COS_OEM names for
// once, and boots the kernel that is inside of recovery.img.
const vmKairosMenu = `set timeout=1
if [ "${grub_platform}" = pc ]; then
	serial --unit=0 --speed=115200
	terminal_output --append serial
fi
if [ "${grub_platform}" = efi ]; then
	# GRUB before 2.12 reads all of a file into memory to measure it, also when
	# there is no TPM. An image does not fit.
	rmmod tpm
fi
search --no-floppy --label --set=env_blk COS_OEM
set env_file=($env_blk)/grubenv
if [ -f "$env_file" ]; then
	load_env --file "$env_file"
fi
set default=other
if [ -n "$next_entry" ]; then
	set default="$next_entry"
	set next_entry=
	save_env --file "$env_file" next_entry
fi
menuentry "Other" --id other {
	echo "BOOTED-OTHER"
	sleep 5
	halt
}
menuentry "Recovery" --id recovery {
	search --no-floppy --label --set=root COS_RECOVERY
	set img=/cOS/recovery.img
	set label=COS_SYSTEM
	loopback system "$img"
	source (system)/etc/cos/bootargs.cfg
	linux (system)$kernel $kernelcmd $extra_cmdline $extra_recovery_cmdline
	initrd (system)$initramfs
}
`

// vmKairosArgs is the file of the image that says how to boot it.
const vmKairosArgs = `set kernel=/boot/vmlinuz
set initramfs=/boot/initrd
set kernelcmd="console=tty1 console=ttyS0 root=LABEL=$label cos-img/filename=$img ro rd.skipfsck panic=5 ` +
	installed.Init + " " + installed.Recover + " " + vmtest.LiveQuick + `"
`

// Sizes of a Kairos's disk and of its COS_STATE, in bytes.
const (
	vmKairosSize = 2 << 30
	vmState      = 500 << 20
)

// vmKairosTree returns what makes the Debian a Kairos, to lay over it.
func vmKairosTree(tb testing.TB, root fs.FS) fstest.MapFS {
	tb.Helper()
	tree := vmFiles(tb)
	text := func(name, data string) {
		tree[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o644, ModTime: vmTime()}
	}
	link := func(name, target string) {
		tree[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777, ModTime: vmTime()}
	}
	text("etc/kairos-release", "KAIROS_FLAVOR=\"debian\"\nKAIROS_MODEL=\"generic\"\nKAIROS_ARCH=\"amd64\"\n")
	text("etc/cos/grub.cfg", vmKairosMenu)
	text("etc/cos/bootargs.cfg", vmKairosArgs)
	link("usr/bin/kairos-agent", "../sbin/installed-report")
	for name, pattern := range map[string]string{"boot/vmlinuz": "boot/vmlinuz-*", "boot/initrd": "boot/initrd.img-*"} {
		names, err := fs.Glob(root, pattern)
		require.NoError(tb, err)
		require.Len(tb, names, 1, pattern)
		link(name, strings.TrimPrefix(names[0], "boot/"))
	}
	return tree
}

// TestKairosBoots boots the disk of a Kairos into its recovery image, where
// 01_reset.yaml is carried out, and boots it again after that.
func TestKairosBoots(t *testing.T) {
	t.Parallel()
	root := vmTree(t)
	for _, test := range []struct {
		name   string
		preset func(context.Context, fs.FS, ...diskimage.Option) (*diskimage.Layout, error)
		boot   vmBoot
		fits   bool // the disk is made as large as fits, and then larger
	}{
		{"EFI", diskimage.EFI, vmBoot{vmtest.UEFISecure, vmtest.Disk}, false},
		{"BIOS", diskimage.BIOS, vmBoot{vmtest.BIOS, vmtest.Virtio}, false},
		{"what fits", diskimage.EFI, vmBoot{vmtest.UEFI, vmtest.Virtio}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := []diskimage.Option{diskimage.WithRootFiles(vmKairosTree(t, root)), diskimage.WithStateSize(vmState >> 20)}
			if test.fits {
				oracle.All(t)
			} else {
				opts = append(opts, diskimage.WithSize(vmKairosSize>>20))
			}
			l, err := test.preset(t.Context(), root, vmOptions(t, opts...)...)
			require.NoError(t, err)
			d := vmDisk(t, l)
			disk := vmBuild(t, l)
			if test.fits {
				require.Less(t, d.Size(), int64(vmKairosSize))
				require.NoError(t, os.Truncate(disk, vmKairosSize)) // The backup of the table is not at the end now.
			}
			vmFirstBoot(t, test.boot, disk)
			vmAfterFirstBoot(t, d.Layout(), disk)
			ctx, m := test.boot.start(t, vmtest.Drive{File: disk})
			require.NoError(t, m.Console.Await(ctx, "BOOTED-OTHER|"+installed.Done))
			assert.Contains(t, m.Console.String(), "BOOTED-OTHER", "the recovery is booted once")
			m.Kill()
		})
	}
}

// vmFirstBoot has the recovery image carry out what is in COS_OEM.
func vmFirstBoot(t *testing.T, b vmBoot, disk string) {
	t.Helper()
	r := b.report(t, vmtest.Drive{File: disk, Keep: true})
	device, kind, options, err := r.Mount("/")
	require.NoError(t, err)
	assert.Equal(t, "ext2", kind)
	assert.Contains(t, device, "/dev/loop")
	assert.Contains(t, options, "ro")
	require.NotNil(t, r.Recover)
	assert.True(t, r.Recover.Mode, "recovery mode")
	assert.Equal(t, vmConfig, string(r.Recover.OEM["90_custom.yaml"]))
	assert.ElementsMatch(t, []string{"01_reset.yaml", "90_custom.yaml", "grubenv"}, keys(r.Recover.OEM))
	assert.Contains(t, string(r.Recover.OEM["grubenv"]), "# GRUB Environment Block\nnext_entry=\n", "GRUB has saved it")
	assert.Equal(t, [][]string{{"--debug", "reset", "--unattended", "--reboot"}}, r.Recover.Agent)

	stages := make([]string, 0, len(r.Recover.Steps))
	for _, step := range r.Recover.Steps {
		stage, _, _ := strings.Cut(step, ":")
		stages = append(stages, stage)
	}
	assert.Equal(t, []string{"rootfs.before", "boot", "network", "network", "after-reset"}, stages, r.Recover.Steps)
	assert.Contains(t, r.Recover.Steps, "boot: of the user")
	for _, want := range []string{"COS_OEM ext2", "COS_RECOVERY ext2", "COS_STATE ext2", "COS_PERSISTENT ext2", "COS_SYSTEM ext2"} {
		assert.Contains(t, r.Recover.Devices, want)
	}
}

// vmAfterFirstBoot reads from outside what is on the disk now.
func vmAfterFirstBoot(t *testing.T, l *diskimage.Layout, disk string) {
	t.Helper()
	assert.Contains(t, oracle.Run(t, "sgdisk", "--verify", disk), "No problems found")
	table := vmTable(t, disk)
	require.Len(t, table, len(l.Partitions)+2)
	for i, p := range l.Partitions {
		assert.Equal(t, vmEntry{p.Label, p.Start, p.Size}, table[i], "as before")
	}
	last := l.Partitions[len(l.Partitions)-1]
	state, persistent := table[len(table)-2], table[len(table)-1]
	assert.Equal(t, vmEntry{"state", last.Start + last.Size, vmState}, state)
	assert.Equal(t, "persistent", persistent.name)
	assert.Equal(t, state.start+state.size, persistent.start)
	info, err := os.Stat(disk)
	require.NoError(t, err)
	assert.InDelta(t, info.Size(), persistent.start+persistent.size, 1<<20, "to the end of the disk")

	mount := func(label string) vmtest.Mount {
		return vmtest.Mount{Image: disk, Type: "ext2", Offset: vmPart(t, l, label).Start}
	}
	recovery := mount("recovery")
	results := vmtest.ManifestsT(t,
		mount("oem"), recovery, vmtest.Mount{Image: "cOS/recovery.img", Type: "ext2", In: &recovery},
		vmtest.Mount{Image: disk, Type: "ext2", Offset: state.start},
		vmtest.Mount{Image: disk, Type: "ext2", Offset: persistent.start})
	for _, r := range results {
		assert.Empty(t, r.Log)
	}
	assert.NotContains(t, results[0].Manifest, "01_reset.yaml", "it is done once")
	assert.Contains(t, results[0].Manifest, "90_custom.yaml")
	assert.Contains(t, results[3].Manifest, "used")
	assert.Contains(t, results[4].Manifest, "used")
	assert.Contains(t, results[1].Manifest, "etc/cos/grub.cfg")

	root := vmTree(t)
	want := vmList(t, root)
	maps.Copy(want, vmList(t, vmKairosTree(t, root)))
	got := results[2].Manifest
	for _, path := range []string{".", "lost+found", "oem"} { // Of the preset.
		delete(want, path)
		delete(got, path)
	}
	assert.Empty(t, manifest.Diff(vmFolders(want), vmFolders(got)), "the recovery image")
	for _, p := range l.Partitions {
		if p.Label == "oem" || p.Label == "recovery" {
			vmClean(t, disk, p.Start)
		}
	}
	vmClean(t, disk, state.start)
	vmClean(t, disk, persistent.start)
}

// vmFolders leaves out what a tree does not say of folders that are there only
// because of what is in them.
func vmFolders(m manifest.Manifest) manifest.Manifest {
	return m.Edit(func(_ string, e *manifest.Entry) {
		if e.Mode.IsDir() {
			*e = manifest.Entry{Mode: e.Mode & fs.ModeType}
		}
	})
}

// A vmEntry is an entry of a partition table, in bytes.
type vmEntry struct {
	name        string
	start, size int64
}

// vmTable reads a partition table as sgdisk shows it.
func vmTable(tb testing.TB, disk string) []vmEntry {
	tb.Helper()
	var table []vmEntry
	for number := 1; ; number++ {
		if !strings.Contains(oracle.Run(tb, "sgdisk", "--print", disk), fmt.Sprintf("\n%4d ", number)) {
			return table
		}
		var e vmEntry
		for line := range strings.Lines(oracle.Run(tb, "sgdisk", fmt.Sprintf("--info=%d", number), disk)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			var n int64
			switch key {
			case "First sector":
				_, err := fmt.Sscan(value, &n)
				require.NoError(tb, err)
				e.start = n * 512
			case "Partition size":
				_, err := fmt.Sscan(value, &n)
				require.NoError(tb, err)
				e.size = n * 512
			case "Partition name":
				e.name = strings.Trim(value, "'")
			}
		}
		table = append(table, e)
	}
}

// keys returns those of a map.
func keys[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, filepath.Base(name))
	}
	return names
}
