package diskimage_test

import (
	"maps"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// TestPlainBoots boots one disk with every firmware and from every kind of
// drive. Other tests have most of that as well.
func TestPlainBoots(t *testing.T) {
	t.Parallel()
	disk := vmBuild(t, vmPlain(t, 0, installed.Init, diskimage.WithConsoles("ttyS0,115200")))
	always := vmBoot{vmtest.UEFISecure, vmtest.USB}
	for _, firmware := range []vmtest.Firmware{vmtest.BIOS, vmtest.UEFI, vmtest.UEFISecure} {
		for _, kind := range []vmtest.DriveKind{vmtest.Disk, vmtest.Virtio, vmtest.USB} {
			b := vmBoot{firmware, kind}
			t.Run(b.String(), func(t *testing.T) {
				t.Parallel()
				if b != always {
					oracle.All(t)
				}
				assert.Contains(t, onRoot(t, b.report(t, vmtest.Drive{File: disk})), "ro")
			})
		}
	}
}

// TestPlainRootIsUsable fills the root to its last block, reads that back,
// deletes it, and changes the root; then it boots from that once more. In the
// end, e2fsck finds nothing, and all files are as they were or as they were
// changed.
func TestPlainRootIsUsable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		firmware diskimage.Firmware
		boot     vmBoot
		always   bool
	}{
		{"BIOS only", diskimage.FirmwareBIOS, vmBoot{vmtest.BIOS, vmtest.Virtio}, true},
		{"UEFI only", diskimage.FirmwareUEFI, vmBoot{vmtest.UEFI, vmtest.Virtio}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !test.always {
				oracle.All(t)
			}
			l := vmPlain(t, test.firmware, installed.Init+" "+installed.Fill, diskimage.WithConsoles("ttyS0,115200"))
			d := vmDisk(t, l)
			disk := vmBuild(t, l)
			root := vmPart(t, d.Layout(), "root")
			drive := vmtest.Drive{File: disk, Keep: true}
			before := vmtest.ManifestT(t, vmtest.Mount{Image: disk, Type: "ext4", Offset: root.Start})

			r := test.boot.report(t, drive)
			onRoot(t, r)
			vmClean(t, disk, root.Start)
			t.Logf("%+v", r.Filled)
			assert.GreaterOrEqual(t, r.Filled.Free, int64(48<<20), "what was asked for")
			assert.Zero(t, r.Filled.Left, "free when it was full")
			assert.Zero(t, r.Filled.Wrong)
			assert.InDelta(t, r.Filled.Free, r.Filled.Written, 1<<20)
			assert.InDelta(t, r.Filled.Free, r.Filled.After, 1<<20)

			again := test.boot.report(t, drive)
			onRoot(t, again)
			vmClean(t, disk, root.Start)
			t.Logf("again: %+v", again.Filled)
			assert.Zero(t, again.Filled.Left)
			assert.Zero(t, again.Filled.Wrong)

			result := vmtest.ManifestsT(t, vmtest.Mount{Image: disk, Type: "ext4", Offset: root.Start})[0]
			assert.Empty(t, result.Log)
			assert.Empty(t, manifest.Diff(changed(before), changed(result.Manifest)))
			assert.Equal(t, 1001, under(result.Manifest, "var/left"))
			assert.Equal(t, strings.Repeat("x", 300), result.Manifest["etc/hostname"].Xattrs["user.left"])
		})
	}
}

// changed leaves out what the system changed.
func changed(m manifest.Manifest) manifest.Manifest {
	m = maps.Clone(m)
	for path := range m {
		if path == "etc/passwd" || path == "etc/hostname" || strings.HasPrefix(path, "var/left") {
			delete(m, path)
		}
	}
	return m.Edit(func(path string, e *manifest.Entry) {
		if path == "etc" || path == "var" {
			e.ModTime, e.Links = time.Time{}, 0
		}
	})
}

// under counts what is in a folder.
func under(m manifest.Manifest, folder string) int {
	n := 0
	for path := range m {
		if strings.HasPrefix(path, folder+"/") {
			n++
		}
	}
	return n
}

// TestPlainGrowsAndShowsLogin boots a disk that was copied to a larger one to
// its login prompt, logs in, and sees that the root took what there is.
func TestPlainGrowsAndShowsLogin(t *testing.T) {
	t.Parallel()
	for _, b := range []vmBoot{{vmtest.UEFI, vmtest.Disk}, {vmtest.BIOS, vmtest.Virtio}} {
		t.Run(b.String(), func(t *testing.T) {
			t.Parallel()
			if b.firmware == vmtest.BIOS {
				oracle.All(t)
			}
			growsAndShowsLogin(t, b)
		})
	}
}

func growsAndShowsLogin(t *testing.T, b vmBoot) {
	t.Helper()
	const more = 512 << 20
	l := vmPlain(t, 0, "", diskimage.WithConsoles("ttyS0,115200"))
	d := vmDisk(t, l)
	root := vmPart(t, d.Layout(), "root")
	disk := vmBuild(t, l)
	require.NoError(t, os.Truncate(disk, d.Size()+more))

	ctx, m := b.start(t, vmtest.Drive{File: disk, Keep: true})
	require.NoError(t, m.Console.Await(ctx, `(?m)^installed login: `))
	at, _ := m.Console.Time(`installed login: `)
	t.Logf("login prompt after %v", at.Sub(m.Started).Round(100*time.Millisecond))
	require.NoError(t, m.Type("root\r"))
	require.NoError(t, m.Console.Await(ctx, `root@installed:~# `))
	require.NoError(t, m.Type("systemctl --failed --no-legend --plain | sed 's/^/fail''ed: /'; "+
		"echo rw=$(findmnt -no OPTIONS / | cut -d, -f1) size=$(($(stat -fc '%b * %S' /))) en''d\r"))
	const found = `rw=(\w+) size=(\d+) end`
	require.NoError(t, m.Console.Await(ctx, found))
	console := m.Console.String()
	assert.NotContains(t, console, "failed: ", "units")
	answer := regexp.MustCompile(found).FindStringSubmatch(console)
	assert.Equal(t, "rw", answer[1])
	size, err := strconv.ParseInt(answer[2], 10, 64)
	require.NoError(t, err)
	t.Logf("root: partition of %d bytes grew to a file system of %d", root.Size, size)
	assert.Greater(t, size, root.Size+more-64<<20, "bytes of the root file system")
	require.NoError(t, m.Type("poweroff\r"))
	require.NoError(t, m.Wait(ctx))

	vmClean(t, disk, root.Start)
	assert.Contains(t, oracle.Run(t, "sgdisk", "--verify", disk), "No problems found")
}
