package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// A Run is a main function without the process: a test can call it.
type Run func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error

// Main runs run as the process, with a context that the first SIGINT, SIGTERM
// or SIGHUP cancels, so that nothing half-made stays when a terminal is closed; the
// second one kills. A SIGHUP that nohup ignores stays ignored. It prints run's
// error behind name and exits with status 1, or with 2 where the command line was
// wrong.
func Main(name string, run Run) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // From here on signals have their usual effect.
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	var usage *UsageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "%s: %v\nRun %s -help for the flags.\n", name, err, name)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// A UsageError says what is wrong with a command line.
type UsageError struct{ Err error }

// Error implements the error interface.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns e.Err.
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef returns a [*UsageError] with a formatted message.
func Usagef(format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}

// Flags returns flags of a program called name. Its usage is text, and what the
// flags are for.
func Flags(name, text string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), text)
		flags.PrintDefaults()
	}
	return flags
}

// Parse parses args with flags and returns the other arguments. Unlike
// [flag.FlagSet.Parse] it also takes flags that follow other arguments, as
// users of GNU-style commands write them; everything behind "--" is an
// argument. The message of an error is left to the caller to print; of
// -help, the usage goes to help.
func Parse(flags *flag.FlagSet, args []string, help io.Writer) ([]string, error) {
	flags.SetOutput(io.Discard)
	usage := flags.Usage
	flags.Usage = func() {}
	var rest []string
	for {
		before := args
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			usage()
			return nil, err
		}
		if err != nil {
			return nil, &UsageError{Err: err}
		}
		args = flags.Args()
		if len(args) == 0 {
			return rest, nil
		}
		if n := len(before) - len(args); n > 0 && before[n-1] == "--" {
			return append(rest, args...), nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// Only returns an error for each flag that was given and is not one of names,
// which are the flags that what is made takes.
func Only(flags *flag.FlagSet, made string, names []string) error {
	var errs []error
	flags.Visit(func(f *flag.Flag) {
		if !slices.Contains(names, f.Name) {
			errs = append(errs, fmt.Errorf("-%s has no effect on %s", f.Name, made))
		}
	})
	return errors.Join(errs...)
}

// Strings is a flag that may be given more than once.
type Strings []string

// String implements [flag.Value].
func (s *Strings) String() string { return strings.Join(*s, " ") }

// Set implements [flag.Value].
func (s *Strings) Set(v string) error {
	if v == "" {
		return errors.New("empty value")
	}
	*s = append(*s, v)
	return nil
}
