package ipxe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Spec says what one machine boots. Files are names that the same
// [Booter]'s OpenBootFile understands; the [Handler] turns each into a signed
// link. A name that starts with http:// or https:// is an address that the
// machine fetches by itself, so it must be able to reach it.
//
// The names in JSON are those of pixiecore's API where it has the field.
type Spec struct {
	// Kernel names a Linux kernel or an EFI program.
	Kernel string `json:"kernel,omitempty"`

	// Initrd names at most 64 initial ramdisks, in load order.
	Initrd []string `json:"initrd,omitempty"`

	// Cmdline is the kernel's command line. In it, {{ ID "name" }} becomes a
	// signed link to a file, and {{ URL "https://…" }} the address itself,
	// checked. Runs of spaces outside double quotes count as one.
	Cmdline string `json:"cmdline,omitempty"`

	// Message is one line for the machine's console.
	Message string `json:"message,omitempty"`

	// Script is sent as it is, and must start with #!ipxe; all else is
	// ignored. As a handler cannot see how such a script goes on, the
	// machine counts as booting once it was sent.
	Script string `json:"ipxe-script,omitempty"`

	// Local sends the machine to its own disk. Kernel must be empty.
	Local LocalBoot `json:"local,omitempty"`

	// Menu lets the person at the console choose. Kernel must be empty.
	Menu *Menu[Spec] `json:"menu,omitempty"`

	// Retries, Timeout and OnFailure are those of [Script]. Times are
	// nanoseconds in JSON.
	Retries   int           `json:"retries,omitempty"`
	Timeout   time.Duration `json:"timeout,omitempty"`
	OnFailure Failure       `json:"on_failure,omitempty"`
}

// A Booter decides what machines boot, and opens the files that they fetch.
// Its methods are called concurrently, and do not keep what they are given.
type Booter interface {
	// BootSpec returns what m boots. The caller does not change it. A nil
	// Spec and no error mean that m is none of ours: it is told so with a
	// 404, and goes on to its next boot device. See [ErrNotReady] for things
	// that take time.
	BootSpec(ctx context.Context, m *Machine) (*Spec, error)

	// OpenBootFile opens a file that a spec named. It is never called with a
	// name that no spec held. If the File is an [io.Closer] it is closed
	// after use. A missing file's error matches [fs.ErrNotExist].
	OpenBootFile(ctx context.Context, name string) (File, error)
}

// A BootingNotifier is a [Booter] that wants to know that a machine has
// fetched all its files and is about to start its kernel.
type BootingNotifier interface {
	Booting(ctx context.Context, m *Machine) error
}

// linker makes the address of the file called name, which is labelled like
// "kernel", "initrd-0" or "other-0" in events.
type linker func(stage Stage, label, name string) (string, error)

// script turns s into a script whose addresses come from link, and booting.
func (s *Spec) script(link linker, booting string) (*Script, error) {
	if s.Menu != nil {
		return s.menuScript(link, booting)
	}
	out := &Script{
		Message: s.Message, Local: s.Local,
		Retries: s.Retries, Timeout: s.Timeout, OnFailure: s.OnFailure,
	}
	if s.Kernel == "" {
		return out, nil
	}
	out.Booting = booting
	var err error
	if out.Kernel, err = address(link, StageKernel, "kernel", s.Kernel); err != nil {
		return nil, err
	}
	for i, name := range s.Initrd {
		url, err := address(link, StageInitrd, fmt.Sprintf("initrd-%d", i), name)
		if err != nil {
			return nil, err
		}
		out.Initrd = append(out.Initrd, url)
	}
	out.Cmdline, err = s.cmdline(link)
	return out, err
}

func (s *Spec) menuScript(link linker, booting string) (*Script, error) {
	menu := &Menu[Script]{Title: s.Menu.Title, Default: s.Menu.Default, Timeout: s.Menu.Timeout}
	for _, item := range s.Menu.Items {
		if item.Boot.Script != "" || item.Boot.Menu != nil {
			return nil, &ScriptError{Field: "Menu", Value: item.Name, Reason: "an item cannot be a script or a menu"}
		}
		boot, err := item.Boot.script(link, booting)
		if err != nil {
			return nil, err
		}
		menu.Items = append(menu.Items, Item[Script]{Name: item.Name, Text: item.Text, Boot: *boot})
	}
	return &Script{Message: s.Message, Menu: menu, OnFailure: s.OnFailure}, nil
}

// cmdline expands s.Cmdline.
func (s *Spec) cmdline(link linker) (string, error) {
	others := 0
	text, err := expand(s.Cmdline, func(function, arg string) (string, error) {
		switch {
		case function == "URL" && isURL(arg):
			return arg, checkURL("Cmdline", arg)
		case function == "URL":
			return "", &ScriptError{Field: "Cmdline", Value: arg, Reason: "URL wants an address that starts with http:// or https://"}
		default:
			others++
			return link(StageFile, fmt.Sprintf("other-%d", others-1), arg)
		}
	})
	if err != nil {
		return "", err
	}
	return collapse(text), nil
}

// Check says why s cannot be turned into a script, without opening a file. A
// [Handler] would answer 500.
func (s *Spec) Check() error {
	if s.Script != "" {
		_, err := rawScript(s.Script)
		return err
	}
	if s.Local == LocalNotFound {
		return nil
	}
	script, err := s.script(func(Stage, string, string) (string, error) { return "http://192.0.2.1/", nil }, "")
	if err != nil {
		return err
	}
	return script.check("")
}

// files returns the names that s would have links for, menus included.
func (s *Spec) files() ([]string, error) {
	var names []string
	_, err := s.script(func(_ Stage, _, name string) (string, error) {
		names = append(names, name)
		return "http://192.0.2.1/", nil
	}, "")
	slices.Sort(names)
	return slices.Compact(names), err
}

// address returns name if it is an address, or else a link to it.
func address(link linker, stage Stage, label, name string) (string, error) {
	if isURL(name) {
		return name, nil
	}
	return link(stage, label, name)
}

func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}
