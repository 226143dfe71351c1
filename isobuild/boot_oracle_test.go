package isobuild_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// TestImageBootWhenNamesArePlain takes images without Rock Ridge and Joliet,
// whose names are in upper case.
func TestImageBootWhenNamesArePlain(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		args                 []string
		files                map[string]string
		kernel, initrd, root string
		cmdline              string
	}{
		"KIWI": {
			files: map[string]string{
				"boot/x86_64/loader/linux": "kernel", "boot/x86_64/loader/initrd": "initrd", "LiveOS/squashfs.img": "root",
				"boot/grub2/grub.cfg": "linux /boot/x86_64/loader/linux root=live:CDLABEL=CDROM rd.live.image\n",
			},
			kernel: "BOOT/X86_64/LOADER/LINUX", initrd: "BOOT/X86_64/LOADER/INITRD", root: "LIVEOS/SQUASHFS.IMG",
			cmdline: "rd.live.image",
		},
		"Debian live": {
			args: []string{"-iso-level", "3"},
			files: map[string]string{
				"live/vmlinuz": "kernel", "live/initrd.img": "initrd", "live/filesystem.squashfs": "root",
				"isolinux/live.cfg": "label live\n kernel /live/vmlinuz\n append initrd=/live/initrd.img boot=live\n",
			},
			kernel: "LIVE/VMLINUZ", initrd: "LIVE/INITRD.IMG", root: "LIVE/FILESYSTEM.SQUASHFS",
			cmdline: "boot=live",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir, iso := t.TempDir(), filepath.Join(t.TempDir(), "plain.iso")
			for name, content := range tt.files {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
			}
			oracle.Run(t, "genisoimage", append(tt.args, "-quiet", "-input-charset", "utf-8", "-o", iso, dir)...)
			im, err := isobuild.Open(section(t, iso))
			require.NoError(t, err)
			b, err := im.Boot()
			require.NoError(t, err)
			assert.Equal(t, name, b.Layout)
			assert.Equal(t, []string{tt.kernel, tt.initrd, tt.root}, []string{b.Kernel.Name, b.Initrd.Name, b.RootFS.Name})
			assert.Equal(t, tt.cmdline, b.Cmdline)
			assert.Equal(t, "root", read(t, im, b.RootFS.Name))
		})
	}
}
