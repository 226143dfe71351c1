package ext_test

import (
	"bytes"
	"io/fs"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// kinds are the volumes that the kernel must understand.
func kinds() map[string]ext.Volume {
	four, two, bare := volume, volume, volume
	two.Version = 2
	bare.NoJournal, bare.Size = true, 200<<20
	four.Size = 300 << 20
	return map[string]ext.Volume{"4": four, "2": two, "without a journal": bare}
}

// oddFor returns odd with all that a volume can carry.
func oddFor(tb testing.TB, v ext.Volume) fs.FS {
	tb.Helper()
	if v.Version == 2 {
		return odd(tb)
	}
	return odd(tb, recent()...)
}

// mount has the kernel mount an image until unmount is called.
func mount(t *testing.T, image string, v ext.Volume, options string) (dir string, unmount func()) {
	t.Helper()
	kind := "ext4"
	if v.Version == 2 {
		kind = "ext2"
	}
	oracle.Root(t)
	dir = t.TempDir()
	run(t, "mount", "-t", kind, "-o", "loop,"+options, image, dir)
	mounted := true
	unmount = func() {
		if !mounted {
			return
		}
		mounted = false
		out, err := []byte(nil), error(nil)
		for range 100 { // A program that another test just started may still hold what is open here.
			if out, err = exec.Command("umount", dir).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("busy")) {
				break
			}
		}
		assert.NoError(t, err, "%s", out)
	}
	t.Cleanup(unmount)
	return dir, unmount
}

func TestNewForKernel(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := oddFor(t, v)
			image := save(t, newImage(t, want, v))
			checkClean(t, image)
			for _, options := range []string{"ro", "rw,user_xattr,acl"} {
				dir, unmount := mount(t, image, v, options)
				sameFolder(t, want, dir)
				unmount()
				checkClean(t, image)
			}
		})
	}
}
