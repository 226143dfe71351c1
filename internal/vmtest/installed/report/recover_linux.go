package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
)

const (
	agentLog = "/run/kairos-agent.json" // the arguments of each call, one per line
	stepsLog = "/run/steps"             // of the stages that a kairos-agent carried out
)

// recovery does what a Kairos does that was started from its recovery
// partition.
func recovery() (*installed.Recovered, error) {
	var r installed.Recovered
	_, err := os.Stat("/run/cos/recovery_mode")
	r.Mode = err == nil
	oem, err := output("blkid", "-L", "COS_OEM")
	if err != nil {
		return nil, err
	}
	if err := unix.Mount(oem, "/oem", "ext2", 0, ""); err != nil {
		return nil, fmt.Errorf("mounting %s at /oem: %w", oem, err)
	}
	if r.OEM, err = contents("/oem"); err != nil {
		return nil, err
	}
	for _, stage := range []string{"rootfs.before", "rootfs", "rootfs.after", "initramfs", "boot", "network"} {
		steps, err := runStage("/oem", stage)
		r.Steps = append(r.Steps, steps...)
		if err != nil {
			return nil, err
		}
	}
	if r.Agent, err = readLines[[]string](agentLog); err != nil {
		return nil, err
	}
	more, err := readLines[string](stepsLog)
	if err != nil {
		return nil, err
	}
	r.Steps = append(r.Steps, more...)
	for _, label := range []string{"COS_STATE", "COS_PERSISTENT"} {
		if err := use(label); err != nil {
			return nil, err
		}
	}
	devices, err := output("blkid", "-c", "/dev/null", "-o", "export")
	if err != nil {
		return nil, err
	}
	r.Devices = labels(devices)
	return &r, unix.Unmount("/oem", 0)
}

// agent stands in for kairos-agent.
func agent(args []string) error {
	if err := appendLine(agentLog, args); err != nil {
		return err
	}
	if !slices.Contains(args, "reset") {
		return nil
	}
	steps, err := runStage("/oem", "after-reset")
	for _, step := range steps {
		if err := appendLine(stepsLog, step); err != nil {
			return err
		}
	}
	return err
}

// use mounts a new file system and writes to it.
func use(label string) error {
	device, err := output("blkid", "-L", label)
	if err != nil {
		return err
	}
	dir := "/run/" + label
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := unix.Mount(device, dir, "ext2", 0, ""); err != nil {
		return fmt.Errorf("mounting %s: %w", label, err)
	}
	if err := os.WriteFile(dir+"/used", []byte(label), 0o600); err != nil {
		return err
	}
	return unix.Unmount(dir, 0)
}

// contents reads the regular files of a folder.
func contents(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil { //nolint:gosec // This runs in a machine of its own. //nolint:gosec // In COS_OEM.
				return nil, err
			}
		}
	}
	return files, nil
}

// labels returns what blkid says of devices, as "label type".
func labels(text string) []string {
	var out []string
	for device := range strings.SplitSeq(text, "\n\n") {
		values := map[string]string{}
		for line := range strings.Lines(device) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			values[key] = value
		}
		if values["LABEL"] != "" {
			out = append(out, values["LABEL"]+" "+values["TYPE"])
		}
	}
	slices.Sort(out)
	return out
}

// appendLine appends a value to a file, as JSON.
func appendLine(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // One of ours.
	if err != nil {
		return err
	}
	if _, err := f.Write(append(text, '\n')); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// readLines reads the values of a file, which need not be there.
func readLines[T any](name string) ([]T, error) {
	text, err := os.ReadFile(name) //nolint:gosec // One of ours.
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var values []T
	for line := range strings.Lines(string(text)) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values = append(values, v)
	}
	return values, nil
}
