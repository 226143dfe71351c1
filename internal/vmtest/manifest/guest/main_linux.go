package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "guest: this is the first program of a virtual machine")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Printf("GUEST-FAILED %v\n", err)
	} else {
		fmt.Println("GUEST-BOOTED")
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func run() error {
	for _, fs := range []string{"proc", "sysfs", "devtmpfs"} {
		dir := map[string]string{"proc": "/proc", "sysfs": "/sys", "devtmpfs": "/dev"}[fs]
		if err := unix.Mount(fs, dir, fs, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	if err := loadModules("/modules"); err != nil {
		return err
	}
	data, err := os.ReadFile("/mounts")
	if err != nil {
		return err
	}
	var mounts []manifest.Mount
	if err := json.Unmarshal(data, &mounts); err != nil {
		return err
	}
	out, err := resultDisk()
	if err != nil {
		return err
	}
	_ = kernelLog() // Nothing of it is about the images.
	var results []manifest.Result
	for i := range mounts {
		results = append(results, list(&mounts[i]))
	}
	return write(out, results)
}

// write hands the results over.
func write(name string, results []manifest.Result) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0) //nolint:gosec // A disk of the guest.
	if err != nil {
		return err
	}
	w := &seeker{Writer: bufio.NewWriterSize(f, 1<<20), f: f}
	if err := manifest.WriteResults(w, results); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// A seeker writes much at once.
type seeker struct {
	*bufio.Writer
	f *os.File
}

func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	if err := s.Flush(); err != nil {
		return 0, err
	}
	return s.f.Seek(offset, whence)
}

// loadModules loads the modules of a folder in the order that its file "order"
// has.
func loadModules(dir string) error {
	order, err := os.ReadFile(filepath.Join(dir, "order")) //nolint:gosec // In the initramfs.
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(order)) {
		data, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // In the initramfs.
		if err != nil {
			return err
		}
		if err := unix.InitModule(data, ""); err != nil {
			return fmt.Errorf("module %s: %w", name, err)
		}
	}
	return nil
}

// resultDisk waits for the disk whose serial number says that it takes the
// results: being the last one, it means that all are there.
func resultDisk() (string, error) {
	for range 100 {
		serials, err := filepath.Glob("/sys/block/*/serial")
		if err != nil {
			return "", err
		}
		for _, file := range serials {
			if data, _ := os.ReadFile(file); strings.TrimSpace(string(data)) == "results" { //nolint:gosec // In /sys.
				return "/dev/" + filepath.Base(filepath.Dir(file)), nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", fmt.Errorf("no disk for the results")
}

// list mounts m and lists what it holds.
func list(m *manifest.Mount) manifest.Result {
	var r manifest.Result
	start := time.Now()
	dir, undo, err := mount(m)
	if err == nil {
		r.Manifest, err = manifest.Dir(dir)
	}
	for _, f := range slices.Backward(undo) {
		f()
	}
	if err != nil {
		r.Err = err.Error()
	}
	r.Log = kernelLog()
	fmt.Printf("GUEST-LISTED %s %d entries in %v %s\n", m.Device, len(r.Manifest), time.Since(start).Round(time.Millisecond), r.Err)
	return r
}

// mount mounts m, after what it lies in, and returns where and how to end it.
func mount(m *manifest.Mount) (dir string, undo []func(), err error) {
	device := m.Device
	if m.In != nil {
		outer, undone, err := mount(m.In)
		undo = undone
		if err != nil {
			return "", undo, err
		}
		f, name, err := loop(filepath.Join(outer, m.Device))
		if err != nil {
			return "", undo, err
		}
		undo = append(undo, func() { _ = f.Close() })
		device = name
	}
	dir, err = os.MkdirTemp("/", "mnt")
	if err != nil {
		return "", undo, err
	}
	if err := unix.Mount(device, dir, m.Type, unix.MS_RDONLY, m.Options); err != nil {
		return "", undo, fmt.Errorf("mount -t %s -o %q: %w", m.Type, m.Options, err)
	}
	return dir, append(undo, func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }), nil
}

// loop makes a device of a file, which lasts until the device is closed and
// nobody uses it any more.
func loop(file string) (*os.File, string, error) {
	back, err := os.Open(file) //nolint:gosec // In an image of the test.
	if err != nil {
		return nil, "", err
	}
	defer back.Close() //nolint:errcheck // The device keeps it.
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, "", err
	}
	defer control.Close() //nolint:errcheck // Nothing was written.
	n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, "", fmt.Errorf("loop: %w", err)
	}
	name := "/dev/loop" + strconv.Itoa(n)
	f, err := os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // A loop device.
	if err != nil {
		return nil, "", err
	}
	config := unix.LoopConfig{Fd: uint32(back.Fd()), Info: unix.LoopInfo64{
		Flags: unix.LO_FLAGS_READ_ONLY | unix.LO_FLAGS_AUTOCLEAR,
	}}
	if err := unix.IoctlLoopConfigure(int(f.Fd()), &config); err != nil {
		_ = f.Close()
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return f, name, nil
}

// kernelLog returns what the kernel warned of since the last call, but for
// complaints about clocks, of which a busy computer gives its guests cause.
func kernelLog() string {
	buf := make([]byte, 1<<20)
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_CLEAR, buf)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(buf[:n])) {
		level, text, _ := strings.Cut(strings.TrimPrefix(line, "<"), ">")
		clock := strings.Contains(text, "clocksource") || strings.Contains(text, "hrtimer: interrupt took")
		if v, err := strconv.Atoi(level); err == nil && v <= 4 && !clock { // KERN_WARNING, and worse
			lines = append(lines, strings.TrimSpace(text))
		}
	}
	return strings.Join(lines, "\n")
}
