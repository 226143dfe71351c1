package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
	"github.com/netbootkit/netbootkit/isobuild"
)

// makeIPXE makes an image that starts iPXE.
func (j *job) makeIPXE(ctx context.Context) (*output.File, error) {
	script, name := isobuild.IPXEWaitScript(), "ipxe.iso"
	if j.ipxeScript != "" {
		var err error
		if script, err = readScript(j.ipxeScript); err != nil {
			return nil, err
		}
		name = filepath.Base(j.ipxeScript) + ".iso"
	}
	programs, err := j.ipxePrograms(ctx, script)
	if err != nil {
		return nil, err
	}
	out, err := output.Create(cmp.Or(j.output, name), ipxeSize)
	if err != nil {
		return nil, err
	}
	opts := append(j.commonOptions(), j.firmwareOptions()...)
	return out, out.Finish(ctx, debian.WithLoaders(ctx, &j.loaders, j.store, isobuild.WithLoaders, func(loaders ...isobuild.Option) error {
		_, err := isobuild.IPXE(ctx, out.Writer(), programs, script, append(opts, loaders...)...)
		return err
	}))
}

// maxScript is more than any program takes of a script, in bytes.
const maxScript = 1 << 20

// readScript returns the script in a file, which may be a pipe.
func readScript(name string) ([]byte, error) {
	file, err := os.Open(name) //nolint:gosec // The user names it.
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	script, err := io.ReadAll(io.LimitReader(file, maxScript+1))
	if err == nil && len(script) > maxScript {
		err = fmt.Errorf("%s has more than %d bytes: let a short script fetch it with chain", name, maxScript)
	}
	return script, err
}

// ipxeSize is more than an image that starts iPXE takes, in bytes.
const ipxeSize = 16 << 20

// ipxePrograms returns iPXE for all firmware that is wanted, with the script.
func (j *job) ipxePrograms(ctx context.Context, script []byte) (isobuild.IPXEPrograms, error) {
	wanted, err := j.wantedFirmware()
	if wanted == 0 {
		wanted = isobuild.BIOS | isobuild.UEFI
	}
	var p isobuild.IPXEPrograms
	if err == nil && wanted&isobuild.UEFI != 0 {
		if p.EFI, err = efiPrograms(script); err != nil {
			err = fmt.Errorf("%s: %w", j.ipxeScript, err) // Our own script fits.
		}
	}
	if err == nil && wanted&isobuild.BIOS != 0 {
		p.BIOS, err = j.biosProgram(ctx)
	}
	return p, err
}

// efiPrograms returns the embedded programs for UEFI with the script in them.
func efiPrograms(script []byte) (map[string]isobuild.File, error) {
	programs := make(map[string]isobuild.File)
	for _, p := range []struct {
		arch    string
		program []byte
	}{{"amd64", binary.IpxeEFI}, {"arm64", binary.SNP}} {
		patched, err := firmware.Patch(p.program, script)
		if err != nil {
			return nil, fmt.Errorf("iPXE for %s: %w", p.arch, err)
		}
		programs[p.arch] = bytes.NewReader(patched)
	}
	return programs, nil
}

// biosProgram returns ipxe.lkrn of -ipxe, or Debian's.
func (j *job) biosProgram(ctx context.Context) (isobuild.File, error) {
	const name = "ipxe.lkrn"
	if j.ipxeDir != "" {
		program, err := os.ReadFile(filepath.Join(j.ipxeDir, name))
		return bytes.NewReader(program), err
	}
	if j.loaders.Offline {
		return nil, fmt.Errorf("there is no %s for BIOS: name its folder with -ipxe, or ask for -firmware uefi", name)
	}
	tree, err := debian.Open(ctx, j.store, j.loaders.Base, debian.IPXE())
	if err != nil {
		return nil, fmt.Errorf("%w: name a folder that has %s with -ipxe, which is /usr/lib/ipxe after apt install ipxe, or ask for -firmware uefi", err, name)
	}
	program, err := fs.ReadFile(tree, "usr/lib/ipxe/"+name)
	return bytes.NewReader(program), err
}
