package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/examples/internal/source"
	"github.com/netbootkit/netbootkit/isobuild"
)

// What a medium's files are called.
const (
	mediumKernel = "medium/kernel"
	mediumInitrd = "medium/initrd"
	mediumRoot   = "medium/rootfs"
)

// liveCmdline is what a live system of Kairos needs to find its root file
// system over the network, and what AuroraBoot gives it.
const liveCmdline = "rd.live.overlay.overlayfs rd.neednet=1 ip=dhcp rd.cos.disable netboot nodepair.enable console=tty1 console=ttyS0 console=tty0"

// A medium is a live system in an ISO or in a release: three files, and those
// of the tree below.
type medium struct {
	fs.FS
	files  map[string]func() (fs.File, error)
	layout string // how the medium is arranged
}

// Open implements [fs.FS].
func (m *medium) Open(name string) (fs.File, error) {
	if open, ok := m.files[name]; ok {
		return open()
	}
	return m.FS.Open(name)
}

// openMedium lays the live system that the command line names over files. What
// has to be closed is left to onClose.
func openMedium(ctx context.Context, c *config, files fs.FS, log *slog.Logger, onClose func(func())) (*medium, error) {
	if c.iso != "" {
		return isoMedium(c.iso, files, onClose)
	}
	store, err := c.from.OpenStore(log, nil)
	if err != nil {
		return nil, err
	}
	onClose(func() { _ = store.Close() })
	assets, err := c.from.Assets(github.WithISO(source.OpenISO))
	if err != nil {
		return nil, err
	}
	return releaseMedium(ctx, store, assets, files, onClose)
}

// isoMedium serves the files of an ISO where they lie.
func isoMedium(name string, files fs.FS, onClose func(func())) (*medium, error) {
	file, size, err := source.OpenFile(name)
	if err != nil {
		return nil, err
	}
	onClose(func() { _ = file.Close() })
	image, err := isobuild.Open(io.NewSectionReader(file, 0, size))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	boot, err := image.Boot()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if boot.RootFS == nil {
		return nil, fmt.Errorf("%s: is an installer of layout %s without a root file system; boot its kernel with -kernel", name, boot.Layout)
	}
	m := &medium{FS: files, layout: boot.Layout, files: make(map[string]func() (fs.File, error))}
	for name, file := range map[string]*isobuild.BootFile{mediumKernel: boot.Kernel, mediumInitrd: boot.Initrd, mediumRoot: boot.RootFS} {
		m.files[name] = func() (fs.File, error) { return image.Open(file.Name) }
	}
	return m, nil
}

// releaseMedium fetches the files of a release, or its ISO if it has nothing
// else.
func releaseMedium(ctx context.Context, store *artifacts.Store, assets *github.Source, files fs.FS, onClose func(func())) (*medium, error) {
	m := &medium{FS: files, files: make(map[string]func() (fs.File, error))}
	for name, asset := range map[string]string{mediumKernel: github.Kernel, mediumInitrd: github.Initrd, mediumRoot: github.SquashFS} {
		file, err := store.Get(ctx, assets, asset)
		if err != nil {
			return nil, err
		}
		onClose(func() { _ = file.Close() }) // While it is open, it stays in the store.
		m.files[name] = func() (fs.File, error) { return os.Open(file.Name()) }
	}
	return m, nil
}

// boots completes a command line that does not say where the root file system
// is, as AuroraBoot does.
func (m *medium) boots(cmdline string) string {
	if cmdline == "" {
		cmdline = liveCmdline
	}
	if strings.Contains(" "+cmdline, " root=") {
		return cmdline
	}
	return `root=live:{{ ID "` + mediumRoot + `" }} ` + cmdline
}

// errNoMedium says that flags of a release are there without its repository.
var errNoMedium = errors.New("-release-version, -artifact-version, -flavor, -flavor-release, -variant, -arch and -github belong to -repository")
