package main

import (
	"context"
	"strings"

	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/examples/internal/source"
)

// A mode is one of the things that the program makes.
type mode struct {
	name  string // for errors
	flags string // that it takes, besides those of all modes
	make  func(*job, context.Context) (*output.File, error)
}

// Flags that more than one mode takes.
const (
	flagsOfAll     = " o store volume-id no-fetch"
	flagsOfFiles   = " cloud-config set overlay"
	flagsOfLoaders = " firmware grub debian"
	flagsOfRelease = " repository release-version artifact-version flavor flavor-release variant arch github"
)

// takes returns the names of all flags that a mode takes.
func (m mode) takes() []string { return strings.Fields(m.flags + flagsOfAll) }

// findMode returns what the command line, which names one source, asks for.
func (c *config) findMode() (mode, error) {
	switch {
	case c.ipxe():
		return mode{"an image that starts iPXE", "ipxe-script ipxe-wait ipxe" + flagsOfLoaders, (*job).makeIPXE}, nil
	case c.from.Release.Repository != "":
		return mode{"the ISO of a release, whose files change and nothing else", "remove" + flagsOfFiles + flagsOfRelease, (*job).remasterRelease}, nil
	}
	iso, err := source.IsISO(c.source)
	if iso {
		return mode{"an ISO, whose files change and nothing else", "remove" + flagsOfFiles, (*job).remasterFile}, err
	}
	return mode{
		"a live image of a root file system",
		"overlay-rootfs cmdline console compression platform insecure" + flagsOfFiles + flagsOfLoaders, (*job).build,
	}, err
}
