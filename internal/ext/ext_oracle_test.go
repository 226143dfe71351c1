//go:build linux

package ext_test

import (
	"bytes"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// mount has the kernel mount an image until unmount is called, where only the
// test's goroutine sees it: a program that gets a name space of its own meanwhile,
// as "ip netns exec" does, would keep a copy of the mount, and the image in use.
func mount(t *testing.T, image string, v ext.Volume, options string) (dir string, unmount func()) {
	t.Helper()
	kind := "ext4"
	if v.Version == 2 {
		kind = "ext2"
	}
	oracle.Root(t)
	runtime.LockOSThread() // For good: the thread ends with the goroutine.
	require.NoError(t, syscall.Unshare(syscall.CLONE_NEWNS|syscall.CLONE_FS))
	require.NoError(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
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
