package ipxe

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
)

// Limits and defaults of a [Script].
const (
	defaultRetries = 9
	maxRetries     = 1000
	defaultTimeout = 10 * time.Second
	maxTimeout     = time.Hour
	maxInitrds     = 64
	lastWait       = 8 // seconds; a power of two, as the wait doubles
)

// A Script is one script for iPXE. Exactly one of Kernel, Local and Menu is
// set; the rest is optional. A Script does not change while it is written.
type Script struct {
	// Kernel is the URL of a Linux kernel or of an EFI program.
	Kernel string

	// Initrd holds the URLs of at most 64 initial ramdisks, in load order.
	Initrd []string

	// Cmdline is the kernel's command line: words joined by single spaces,
	// without the initrd= arguments, which the script adds.
	Cmdline string

	// Message is a line for the console, shown before anything is fetched.
	Message string

	// Booting is a URL fetched when all files have arrived, just before the
	// kernel starts. The machine boots whether this succeeds or not.
	Booting string

	// Retries says how often a file is tried again after it failed. The wait
	// before it starts at one second and doubles up to eight. Zero means 9;
	// a negative number means never; the most is 1000.
	Retries int

	// Timeout is how long a file may make no progress before it is tried
	// again; it does not limit the whole download. iPXE itself would wait
	// for 120 s. Zero means ten seconds; the range is 1 ms to one hour.
	Timeout time.Duration

	// OnFailure says what follows when a file failed for the last time, or
	// the kernel could not start. The default is [FailExit].
	OnFailure Failure

	// Local starts the operating system on the machine's own disk.
	Local LocalBoot

	// Menu lets the person at the console choose.
	Menu *Menu[Script]
}

// WriteTo writes s in iPXE's language to w: the language of builds from 2015
// to 2.0, with only commands that every default build has. It writes nothing
// and returns a [*ScriptError] when a value cannot be written. It implements
// [io.WriterTo].
func (s *Script) WriteTo(w io.Writer) (int64, error) {
	if err := s.check(""); err != nil {
		return 0, err
	}
	var b bytes.Buffer
	// An image that came before, such as autoexec.ipxe, would be put in
	// front of the initrds.
	b.WriteString("#!ipxe\nimgfree\n")
	switch {
	case s.Menu != nil:
		writeMenu(&b, s)
	default:
		s.writeBoot(&b, "")
	}
	return b.WriteTo(w)
}

// writeBoot writes the commands of a script that has no menu. Its labels
// start with prefix.
func (s *Script) writeBoot(b *bytes.Buffer, prefix string) {
	writeMessage(b, s.Message)
	if s.Kernel == "" {
		s.Local.write(b)
		return
	}
	s.writeFetch(b, prefix, "kernel", "kernel", s.Kernel)
	for i, url := range s.Initrd {
		s.writeFetch(b, prefix, "initrd", fmt.Sprintf("initrd%d", i), url)
	}
	if s.Booting != "" {
		fmt.Fprintf(b, "imgfetch --name booting --timeout %d %s ||\nimgfree booting ||\n",
			s.timeout().Milliseconds(), s.Booting)
	}
	b.WriteString("boot kernel")
	for i := range s.Initrd { // EFI kernels find their initrds by these.
		fmt.Fprintf(b, " initrd=initrd%d", i)
	}
	if s.Cmdline != "" {
		b.WriteString(" " + s.Cmdline)
	}
	fmt.Fprintf(b, " || goto %sfailed\n:%sfailed\n", prefix, prefix)
	s.OnFailure.write(b)
}

// writeFetch writes a loop that fetches url as the image called name.
func (s *Script) writeFetch(b *bytes.Buffer, prefix, command, name, url string) {
	label := prefix + name
	fmt.Fprintf(b, "set try:int32 0\nset wait:int32 1\n:%s\n", label)
	fmt.Fprintf(b, "%s --name %s --timeout %d %s && goto %s-ok ||\n",
		command, name, s.timeout().Milliseconds(), url, label)
	fmt.Fprintf(b, "iseq ${try} %d && goto %sfailed || inc try\n", s.retries(), prefix)
	fmt.Fprintf(b, "sleep ${wait}\niseq ${wait} %d || inc wait ${wait}\n", lastWait)
	fmt.Fprintf(b, "goto %s\n:%s-ok\n", label, label)
}

func (s *Script) retries() int {
	switch {
	case s.Retries == 0:
		return defaultRetries
	case s.Retries < 0:
		return 0
	default:
		return s.Retries
	}
}

func (s *Script) timeout() time.Duration {
	if s.Timeout == 0 {
		return defaultTimeout
	}
	return s.Timeout
}

// writeMessage writes an echo of text, if there is any. The -- keeps a text
// that starts with a dash from being read as an option.
func writeMessage(b *bytes.Buffer, text string) {
	if text != "" {
		b.WriteString("echo -- " + text + "\n")
	}
}

// String returns the script, or the error that [Script.WriteTo] returns.
func (s *Script) String() string {
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil {
		return err.Error()
	}
	return b.String()
}
