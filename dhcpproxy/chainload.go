package dhcpproxy

import (
	"context"
	"fmt"
	"strings"
)

// Chainload is the usual policy: firmware is given iPXE, and iPXE a script.
//
// Every boot program is named "<mac>/<program>", such as
// "52:54:00:12:34:56/ipxe.efi", so that the TFTP and HTTP servers know which
// machine they serve. Its methods are safe for concurrent use if the functions
// are. The zero value answers nobody.
type Chainload struct {
	// Known says whether a machine is to boot from here. Nil knows none.
	Known func(ctx context.Context, req *Request) (bool, error)

	// Program names the boot program for req.Arch and its size in bytes, zero
	// if unknown. Without one the machine gets no answer, or, if it is an iPXE
	// that can, the script. Nil has no programs.
	Program func(req *Request) (file string, size int64, ok bool)

	// Script returns the URL of the machine's iPXE script. Nil or an empty
	// URL leaves every iPXE without an answer.
	Script func(req *Request) string

	// HTTPBase returns the URL below which the boot programs lie for UEFI
	// HTTP boot, such as "http://192.0.2.1/boot". Its host should be an
	// address. Nil or an empty URL leaves such machines without an answer.
	HTTPBase func(req *Request) string

	// Direct says whether a UEFI machine is told to load the program at once,
	// see Offer.Direct. Nil says no.
	Direct func(req *Request) bool

	// Replace says whether an iPXE that is not ours is to load Program even
	// though it has HTTP and could run the script itself. Nil says no.
	Replace func(req *Request) bool

	// Loop decides for machines with Request.Looping, in place of everything
	// but Known. Nil treats them as ever, save that an iPXE with HTTP is given
	// the script.
	Loop func(ctx context.Context, req *Request) (*Offer, error)
}

// Offer implements [Handler]. Its silence comes with a reason.
func (c *Chainload) Offer(ctx context.Context, req *Request) (*Offer, error) {
	if c.Known == nil {
		return nil, fmt.Errorf("no machine is known: %w", ErrDeclined)
	}
	if ok, err := c.Known(ctx, req); err != nil {
		return nil, err
	} else if !ok {
		return nil, fmt.Errorf("machine not known: %w", ErrDeclined)
	}
	if req.Looping && c.Loop != nil {
		return c.Loop(ctx, req)
	}
	switch req.Client {
	case ClientChained:
		return c.script(req, "marked iPXE: script")
	case ClientIPXE:
		return c.stock(req)
	case ClientHTTP:
		return c.http(req)
	default:
		return c.program(req, "", "firmware: boot program")
	}
}

// stock answers an iPXE that cannot be told from one that we handed out
// without a marker: if it can fetch the script, a loop is impossible.
func (c *Chainload) stock(req *Request) (*Offer, error) {
	replace := c.Replace != nil && c.Replace(req)
	if req.Features.HTTP && (!replace || req.Looping) {
		return c.script(req, "iPXE with HTTP: script")
	}
	// Some builds misread a bare name, so it is given as a URL.
	o, err := c.program(req, "tftp://"+req.Server.String()+"/", "other iPXE: boot program")
	if err != nil && req.Features.HTTP {
		return c.script(req, "iPXE with HTTP, no program for it: script")
	}
	return o, err
}

func (c *Chainload) script(req *Request, why string) (*Offer, error) {
	if c.Script != nil {
		if url := c.Script(req); url != "" {
			return &Offer{BootFile: url, Reason: why}, nil
		}
	}
	return nil, fmt.Errorf("no script: %w", ErrDeclined)
}

func (c *Chainload) http(req *Request) (*Offer, error) {
	if c.HTTPBase != nil {
		if base := c.HTTPBase(req); base != "" {
			return c.program(req, strings.TrimSuffix(base, "/")+"/", "UEFI HTTP boot: boot program")
		}
	}
	return nil, fmt.Errorf("no HTTP boot: %w", ErrDeclined)
}

// program offers the machine's boot program, its name after prefix.
func (c *Chainload) program(req *Request, prefix, why string) (*Offer, error) {
	if c.Program != nil {
		if file, size, ok := c.Program(req); ok {
			return &Offer{
				BootFile:     prefix + req.MAC.String() + "/" + file,
				BootFileSize: size,
				Direct:       c.Direct != nil && c.Direct(req),
				Reason:       why,
			}, nil
		}
	}
	return nil, fmt.Errorf("no boot program for %v: %w", req.Arch, ErrDeclined)
}
