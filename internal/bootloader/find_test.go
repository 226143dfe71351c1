package bootloader_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/bootloader"
)

// found is what Find is to find, without the tree.
type found struct {
	shim, grub, mok, grubName, prefix string
	signed                            bool
}

func TestFindEFI(t *testing.T) {
	t.Parallel()
	shim := spec{signed: true, loads: "grubx64.efi"}
	signed := spec{signed: true}
	arm := spec{machine: 0xaa64, signed: true, loads: "grubaa64.efi"}
	riscv := spec{machine: 0x5064}
	for _, test := range []struct {
		name, arch string
		files      map[string]any
		want       found
	}{
		{"Debian", "amd64", map[string]any{
			"usr/lib/shim/shimx64.efi.signed":                      shim,
			"usr/lib/shim/shimx64.efi":                             spec{},
			"usr/lib/shim/mmx64.efi":                               spec{},
			"usr/lib/shim/mmx64.efi.signed":                        signed,
			"usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed":    spec{signed: true, prefix: "/EFI/debian"},
			"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed":     spec{signed: true, prefix: "/boot/grub"},
			"usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed": spec{signed: true, prefix: "/grub"},
			"usr/lib/grub/x86_64-efi/monolithic/gcdx64.efi":        spec{},
		}, found{"usr/lib/shim/shimx64.efi.signed", "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "usr/lib/shim/mmx64.efi.signed", "grubx64.efi", "/boot/grub", true}},
		{"Ubuntu", "amd64", map[string]any{
			"usr/lib/shim/shimx64.efi.dualsigned":               shim,
			"usr/lib/shim/shimx64.efi.signed.latest":            shim,
			"usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": spec{signed: true, prefix: "/EFI/ubuntu"},
		}, found{"usr/lib/shim/shimx64.efi.dualsigned", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "", "grubx64.efi", "/EFI/ubuntu", true}},
		{"Ubuntu with the latest shim", "amd64", map[string]any{
			"usr/lib/shim/shimx64.efi.signed.latest":            shim,
			"usr/lib/shim/shimx64.efi.signed":                   shim,
			"usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": signed,
		}, found{"usr/lib/shim/shimx64.efi.signed.latest", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "", "grubx64.efi", "", true}},
		{"Fedora", "amd64", map[string]any{
			"boot/efi/EFI/fedora/shim.efi":    shim,
			"boot/efi/EFI/fedora/mmx64.efi":   signed,
			"boot/efi/EFI/fedora/grubx64.efi": spec{signed: true, prefix: "/EFI/fedora"},
		}, found{"boot/efi/EFI/fedora/shim.efi", "boot/efi/EFI/fedora/grubx64.efi", "boot/efi/EFI/fedora/mmx64.efi", "grubx64.efi", "/EFI/fedora", true}},
		{"openSUSE", "amd64", map[string]any{
			"usr/share/efi/x86_64/shim.efi": spec{signed: true, loads: "grub.efi"},
			"usr/share/efi/x86_64/grub.efi": signed,
		}, found{"usr/share/efi/x86_64/shim.efi", "usr/share/efi/x86_64/grub.efi", "", "grub.efi", "", true}},
		{"a shim that wants another name", "amd64", map[string]any{
			"usr/share/efi/x86_64/shim.efi": shim,
			"usr/share/efi/x86_64/grub.efi": signed,
		}, found{"usr/share/efi/x86_64/shim.efi", "usr/share/efi/x86_64/grub.efi", "", "grubx64.efi", "", true}},
		{"unsigned", "amd64", map[string]any{
			"usr/lib/grub/x86_64-efi/monolithic/grubx64.efi": spec{prefix: "/EFI/debian"},
			"usr/lib/grub/x86_64-efi/monolithic/gcdx64.efi":  spec{prefix: "/boot/grub"},
		}, found{"", "usr/lib/grub/x86_64-efi/monolithic/gcdx64.efi", "", "grubx64.efi", "/boot/grub", false}},
		{"Debian on arm64", "arm64", map[string]any{
			"usr/lib/shim/shimaa64.efi.signed":                 arm,
			"usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed": arm,
			"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed": signed,
		}, found{"usr/lib/shim/shimaa64.efi.signed", "usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed", "", "grubaa64.efi", "", true}},
		{"openSUSE on arm64", "arm64", map[string]any{
			"usr/share/efi/aarch64/shim.efi": spec{machine: 0xaa64, loads: "grub.efi"},
			"usr/share/efi/aarch64/grub.efi": arm,
		}, found{"usr/share/efi/aarch64/shim.efi", "usr/share/efi/aarch64/grub.efi", "", "grub.efi", "", false}},
		{"riscv64", "riscv64", map[string]any{
			"usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi": riscv,
			"usr/lib/shim/shimriscv64.efi.signed":                 riscv,
		}, found{"", "usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi", "", "grubriscv64.efi", "", false}},
		{"a folder of files", "amd64", map[string]any{
			"shimx64.efi.signed": shim, "grubx64.efi.signed": signed, "mmx64.efi": signed,
		}, found{"shimx64.efi.signed", "grubx64.efi.signed", "mmx64.efi", "grubx64.efi", "", true}},
		{"an EFI system partition", "amd64", map[string]any{
			"EFI/BOOT/BOOTX64.EFI": shim, "EFI/BOOT/grubx64.efi": signed, "EFI/BOOT/MMX64.EFI": signed,
		}, found{"EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/grubx64.efi", "EFI/BOOT/MMX64.EFI", "grubx64.efi", "", true}},
		{"nothing but the default", "amd64", map[string]any{
			"bootx64.efi": spec{prefix: "/x"},
		}, found{"", "bootx64.efi", "", "grubx64.efi", "/x", false}},
		{"GRUB's folder", "amd64", map[string]any{
			"x86_64-efi-signed/gcdx64.efi.signed": signed, "x86_64-efi/monolithic/gcdx64.efi": spec{},
		}, found{"", "x86_64-efi-signed/gcdx64.efi.signed", "", "grubx64.efi", "", false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := tree(test.files)
			loaders, err := bootloader.Find(files, test.arch)
			require.NoError(t, err)
			e := loaders.EFI
			require.NotNil(t, e)
			assert.Equal(t, test.want, found{e.Shim, e.Grub, e.MokManager, e.GrubName, e.Prefix, e.Signed})
			assert.Equal(t, test.arch, e.Arch)
			assert.Nil(t, loaders.BIOS)
		})
	}
}

// TestFindOrder takes away what was found until nothing is left: that is the
// order of the search, in which nothing is found twice and nothing is missed.
func TestFindOrder(t *testing.T) {
	t.Parallel()
	vendors := func(top string, names ...string) (list []string) {
		for _, vendor := range []string{"fedora", "rocky", "redhat", "almalinux", "centos", "debian", "ubuntu"} {
			for _, name := range names {
				list = append(list, top+"EFI/"+vendor+"/"+name)
			}
		}
		return list
	}
	for arch, p := range map[string]struct {
		machine         uint16
		uefi, grub, cpu string
		last            []string
	}{
		"amd64":   {0x8664, "x86_64", "x86_64", "x64", nil},
		"arm64":   {0xaa64, "aarch64", "arm64", "aa64", nil},
		"riscv64": {0x5064, "riscv64", "riscv64", "riscv64", []string{"boot/efi/EFI/BOOT/BOOTRISCV64.EFI"}},
	} {
		shim, grub, folder := "shim"+p.cpu+".efi", "grub"+p.cpu+".efi", "usr/lib/grub/"+p.grub+"-efi"
		grubs := slices.Concat(
			[]string{folder + "-signed/gcd" + p.cpu + ".efi.signed", "usr/share/efi/" + p.uefi + "/grub.efi", folder + "-signed/" + grub + ".signed"},
			vendors("boot/efi/", grub), vendors("usr/lib/bootupd/updates/", grub),
			[]string{folder + "/" + grub, folder + "/monolithic/gcd" + p.cpu + ".efi", folder + "/monolithic/" + grub, "boot/efi/EFI/BOOT/" + grub},
			p.last, []string{grub})
		shims := slices.Concat(
			[]string{"usr/share/efi/" + p.uefi + "/shim.efi", "usr/lib/shim/" + shim + ".dualsigned", "usr/lib/shim/" + shim + ".signed.latest", "usr/lib/shim/" + shim + ".signed"},
			vendors("boot/efi/", "shim.efi", shim), vendors("usr/lib/bootupd/updates/", "shim.efi", shim),
			[]string{shim + ".signed", shim})
		if arch == "riscv64" {
			shims = nil
		}
		files := make(map[string]any)
		for _, name := range slices.Concat(grubs, shims) {
			files[name] = spec{machine: p.machine}
		}
		search := func(found func(*bootloader.EFI) string) (order []string) {
			left := tree(files)
			for {
				loaders, err := bootloader.Find(left, arch)
				require.NoError(t, err)
				if loaders.EFI == nil || found(loaders.EFI) == "" {
					return order
				}
				order = append(order, found(loaders.EFI))
				delete(left, found(loaders.EFI))
			}
		}
		assert.Equal(t, grubs, search(func(e *bootloader.EFI) string { return e.Grub }), arch)
		assert.Equal(t, shims, search(func(e *bootloader.EFI) string { return e.Shim }), arch)
	}
}

func TestFindNothing(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]any{
		"empty":     {},
		"only shim": {"usr/lib/shim/shimx64.efi.signed": spec{signed: true}},
		"others":    {"usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed": spec{}, "usr/lib/grub/i386-pc/normal.mod": "x"},
	} {
		loaders, err := bootloader.Find(tree(files), "amd64")
		require.NoError(t, err, name)
		assert.Equal(t, &bootloader.Loaders{}, loaders, name)
	}
}

func TestFindBIOS(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{
		"usr/lib/grub/i386-pc", "usr/lib/grub2/i386-pc", "usr/share/grub2/i386-pc",
		"usr/share/grub/i386-pc", "usr/lib64/grub/i386-pc", "usr/lib64/grub2/i386-pc", "i386-pc", ".",
	} {
		prefix := strings.TrimPrefix(folder+"/", "./")
		files := tree(map[string]any{prefix + "kernel.img": "kernel", prefix + "boot.img": "boot"})
		loaders, err := bootloader.Find(files, "amd64")
		require.NoError(t, err)
		assert.Equal(t, folder, loaders.BIOSFrom)
		data, err := fs.ReadFile(loaders.BIOS, "kernel.img")
		require.NoError(t, err)
		assert.Equal(t, "kernel", string(data))

		loaders, err = bootloader.Find(files, "arm64")
		require.NoError(t, err)
		assert.Nil(t, loaders.BIOS)

		files["usr/lib/grub/i386-pc/kernel.img"] = &fstest.MapFile{Data: []byte("without boot.img")}
		if folder != "usr/lib/grub/i386-pc" {
			loaders, err = bootloader.Find(files, "amd64")
			require.NoError(t, err)
			assert.Equal(t, folder, loaders.BIOSFrom, "the first folder that has both")
		}
	}
}

// locked is a tree in which some files cannot be looked at.
type locked struct {
	fstest.MapFS

	name string
}

var errLocked = errors.New("too many symbolic links")

// Stat implements [fs.StatFS].
func (l locked) Stat(name string) (fs.FileInfo, error) {
	if name == l.name {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: errLocked}
	}
	return l.MapFS.Stat(name)
}

func TestFindErrors(t *testing.T) {
	t.Parallel()
	const grub = "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"
	for _, test := range []struct {
		name, arch string
		files      map[string]any
		want       string
	}{
		{"architecture", "386", nil, `bootloader: architecture "386": not amd64`},
		{"no program", "amd64", map[string]any{grub: "hello"}, "bootloader: " + grub + ": is no EFI program"},
		{"empty", "amd64", map[string]any{grub: ""}, grub + ": is no EFI program"},
		{"another machine", "amd64", map[string]any{grub: spec{machine: 0xaa64}}, grub + ": is for machine 0xaa64, not 0x8664 (x86_64)"},
		{"shim for another machine", "amd64", map[string]any{
			grub: spec{}, "usr/lib/shim/shimx64.efi.signed": spec{machine: 0x5064},
		}, "usr/lib/shim/shimx64.efi.signed: is for machine 0x5064"},
		{"huge", "amd64", map[string]any{grub: strings.Repeat("x", 32<<20+1)}, grub + ": has more than 33554432 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := bootloader.Find(tree(test.files), test.arch)
			require.ErrorContains(t, err, test.want)
		})
	}
	for _, name := range []string{grub, "usr/lib/grub/i386-pc/kernel.img"} {
		_, err := bootloader.Find(locked{tree(nil), name}, "amd64")
		require.ErrorIs(t, err, errLocked)
	}
	other := tree(map[string]any{"usr/lib/grub/x86_64-efi/monolithic/gcdx64.efi": spec{}})
	loaders, err := bootloader.Find(locked{other, grub}, "amd64")
	require.NoError(t, err, "another GRUB is there")
	assert.NotNil(t, loaders.EFI)
}

// FuzzFind reads programs that are crafted.
func FuzzFind(f *testing.F) {
	f.Add(spec{signed: true, prefix: "/EFI/debian", loads: "grubx64.efi"}.build())
	f.Fuzz(func(t *testing.T, data []byte) {
		loaders, err := bootloader.Find(tree(map[string]any{"grubx64.efi": string(data), "shimx64.efi": string(data)}), "amd64")
		if err != nil {
			return
		}
		assert.LessOrEqual(t, len(loaders.EFI.Prefix), 255)
		esp, err := loaders.EFI.Tree(nil)
		require.NoError(t, err)
		require.NoError(t, fstest.TestFS(esp, "EFI/BOOT/grub.cfg"))
	})
}
