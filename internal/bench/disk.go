//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/diskimage"
)

const (
	// diskSize is how large the disks are that are converted, in MiB.
	diskSize = 16 << 10
	// diskFloor is how many times a peer's time may be taken.
	diskFloor = 1.5
)

// compareDisk compares making file systems and disks, and converting them.
func compareDisk(ctx context.Context, l *lab) (*report, error) {
	root, err := l.buildRoot(ctx)
	if err != nil {
		return nil, err
	}
	total := new(report)
	for _, part := range []func(context.Context, *lab, string) (*report, error){compareExt4, compareFAT, compareWholeDisk, compareFormats} {
		r, err := part(ctx, l, root)
		if err != nil {
			return nil, err
		}
		total.add(r)
	}
	return total, nil
}

// duel has ours and a peer do the same, each by a shell's command line, in
// which $OUT is the output, $ROOT the root file system, $DISK the disk that is
// converted, and $BENCH this program.
func (l *lab) duel(ctx context.Context, env map[string]string, measure, peer, ours, theirs, output string) (*report, error) {
	a, b := new(task), new(task)
	steps := func(script string) func(string) [][]string {
		return func(dir string) [][]string {
			line := []string{"env", "OUT=" + filepath.Join(dir, output), "DIR=" + dir, "BENCH=" + l.self}
			for name, value := range env {
				line = append(line, name+"="+value)
			}
			return [][]string{append(line, "bash", "-euo", "pipefail", "-c", script)}
		}
	}
	err := l.race(ctx,
		rival{name: "ours, " + measure, task: a, output: output, steps: steps(ours)},
		rival{name: peer + ", " + measure, task: b, output: output, steps: steps(theirs)})
	if err != nil {
		return nil, err
	}
	return &report{rows: []row{
		{measure: measure + ", seconds", peer: peer, ours: a.seconds, theirs: b.seconds, lower: true, target: 1, floor: ratioOf(diskFloor)},
		{measure: "resident memory in MiB, " + measure, ours: a.memory, limit: buildMemory},
	}}, nil
}

// compareExt4 compares ext4 file systems of a root.
func compareExt4(ctx context.Context, l *lab, root string) (*report, error) {
	return l.duel(ctx, map[string]string{"ROOT": root}, "ext4 of a root", "mke2fs -d",
		`"$BENCH" ext4 "$ROOT" "$OUT" 1024`, `truncate -s 1G "$OUT" && mke2fs -q -t ext4 -d "$ROOT" "$OUT"`, "root.ext4")
}

// compareFAT compares FAT file systems of 2000 files of 50 KiB.
func compareFAT(ctx context.Context, l *lab, _ string) (*report, error) {
	tree := filepath.Join(l.dir, "fat")
	data := make([]byte, 50<<10)
	for i := range 2000 {
		dir := filepath.Join(tree, fmt.Sprint("folder", i/100))
		err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, fmt.Sprintf("file number %d", i)), data, 0o600))
		if err != nil {
			return nil, err
		}
	}
	return l.duel(ctx, map[string]string{"TREE": tree}, "FAT with 2000 files in 100 MB", "mkfs.vfat and mcopy",
		`"$BENCH" fat "$TREE" "$OUT" 256`,
		`truncate -s 256M "$OUT" && mkfs.vfat "$OUT" >/dev/null && mcopy -s -i "$OUT" "$TREE"/* ::/`, "x.fat")
}

// compareWholeDisk compares a disk for UEFI with a FAT and an ext4.
func compareWholeDisk(ctx context.Context, l *lab, root string) (*report, error) {
	return l.duel(ctx, map[string]string{"ROOT": root}, "whole disk for UEFI", "mke2fs, mcopy, sgdisk, dd", `"$BENCH" disk "$ROOT" "$OUT" 0`, `
truncate -s 64M "$DIR/esp" && mkfs.vfat "$DIR/esp" >/dev/null
mmd -i "$DIR/esp" ::/EFI ::/EFI/BOOT
mcopy -i "$DIR/esp" /usr/lib/shim/shimx64.efi.signed ::/EFI/BOOT/bootx64.efi
mcopy -i "$DIR/esp" /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed ::/EFI/BOOT/grubx64.efi
truncate -s 1G "$DIR/root" && mke2fs -q -t ext4 -d "$ROOT" "$DIR/root"
truncate -s 1100M "$OUT"
sgdisk -n 1:2048:+64M -t 1:ef00 -n 2:0:+1G -t 2:8300 "$OUT" >/dev/null
dd if="$DIR/esp" of="$OUT" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$DIR/root" of="$OUT" bs=1M seek=65 conv=notrunc,sparse status=none`, "disk.raw")
}

// compareFormats compares the formats of clouds, of a large disk with little in
// it.
func compareFormats(ctx context.Context, l *lab, root string) (*report, error) {
	disk := filepath.Join(l.dir, "disk.raw")
	if err := makeDisk(ctx, []string{root, disk, strconv.Itoa(diskSize)}); err != nil {
		return nil, err
	}
	defer os.Remove(disk) //nolint:errcheck // The lab's folder goes as a whole.
	total := &report{rows: []row{{
		measure: fmt.Sprintf("disk of %d GiB on disk, in units of its content", diskSize>>10),
		ours:    sample{float64(onDisk(disk)) / float64(onDisk(root))}, limit: 1.1,
	}}}
	env := map[string]string{"DISK": disk}
	for _, f := range []struct{ measure, peer, ours, theirs, output string }{
		{"GCE archive of a disk", "tar -S and pigz", `"$BENCH" convert gce "$DISK" "$OUT"`, `cd "$(dirname "$DISK")" && tar --format=oldgnu -Sc disk.raw | pigz >"$OUT"`, "x.tar.gz"},
		{"VHD of a disk", "qemu-img convert", `"$BENCH" convert vhd "$DISK" "$OUT"`, `qemu-img convert -O vpc -o subformat=fixed,force_size "$DISK" "$OUT"`, "x.vhd"},
		{"QCOW2 of a disk", "qemu-img convert", `"$BENCH" convert qcow2 "$DISK" "$OUT"`, `qemu-img convert -O qcow2 "$DISK" "$OUT"`, "x.qcow2"},
		{"VMDK of a disk", "qemu-img convert", `"$BENCH" convert vmdk "$DISK" "$OUT"`, `qemu-img convert -O vmdk -o subformat=streamOptimized "$DISK" "$OUT"`, "x.vmdk"},
	} {
		r, err := l.duel(ctx, env, f.measure, f.peer, f.ours, f.theirs, f.output)
		if err != nil {
			return nil, err
		}
		total.add(r)
	}
	return total, nil
}

// openTree opens a folder as a file tree.
func openTree(ctx context.Context, dir string) (*artifacts.Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	tree, err := artifacts.OpenDir(ctx, root)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return tree, nil
}

// makeFileSystem writes a file system of a folder to a file, of so many MiB.
func makeFileSystem(ctx context.Context, kind string, args []string) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("%s needs a folder, a file and a size, got %q", kind, args)
	}
	tree, err := openTree(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	mib, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	content := diskimage.Ext4("root", tree)
	if kind == "fat" {
		content = diskimage.FAT("FAT", tree)
	}
	image, err := content.Open(ctx, mib<<20)
	if err != nil {
		return err
	}
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	return errors.Join(copySparse(file, image), file.Close())
}

// copySparse writes the data of image to file, and leaves its holes.
func copySparse(file *os.File, image diskimage.File) error {
	if err := file.Truncate(image.Size()); err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	sparse, _ := image.(diskimage.Sparse)
	for off := int64(0); ; {
		start, end, ok := sparse.NextData(off)
		if !ok {
			return nil
		}
		for ; start < end; start += int64(len(buf)) {
			part := buf[:min(int64(len(buf)), end-start)]
			if n, err := image.ReadAt(part, start); n < len(part) {
				return err
			}
			if _, err := file.WriteAt(part, start); err != nil {
				return err
			}
		}
		off = end
	}
}

// makeDisk writes a disk for UEFI of a folder to a file, of so many MiB or of
// what fits.
func makeDisk(ctx context.Context, args []string) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("disk needs a folder, a file and a size, got %q", args)
	}
	mib, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	tree, err := openTree(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	opts := []diskimage.Option{diskimage.WithLoaders(os.DirFS("/usr/lib/grub"), os.DirFS("/usr/lib/shim"))}
	if mib > 0 {
		opts = append(opts, diskimage.WithSize(mib))
	}
	layout, err := diskimage.Plain(ctx, tree, diskimage.FirmwareUEFI, opts...)
	if err != nil {
		return err
	}
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	_, err = diskimage.Build(ctx, file, layout)
	return errors.Join(err, file.Close())
}

// convert writes a raw disk in another format.
func convert(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("convert needs a format, a disk and a file, got %q", args)
	}
	in, err := os.Open(args[1])
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // It was only read.
	info, err := in.Stat()
	if err != nil {
		return err
	}
	disk := &sparseFile{File: in, size: info.Size()}
	out, err := os.Create(args[2])
	if err != nil {
		return err
	}
	switch args[0] {
	case "gce":
		_, err = diskimage.WriteGCE(ctx, out, disk)
	case "vhd":
		_, err = diskimage.WriteVHD(ctx, out, disk)
	case "qcow2":
		_, err = diskimage.WriteQCOW2(ctx, out, disk)
	case "vmdk":
		_, err = diskimage.WriteVMDK(ctx, out, disk)
	default:
		err = fmt.Errorf("unknown format %q", args[0])
	}
	return errors.Join(err, out.Close())
}
