package cli_test

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
)

func TestParse(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		args    []string
		rest    []string
		cmdline string
		initrd  cli.Strings
	}{
		{"flags first", []string{"-cmdline", "quiet", "boot", "k"}, []string{"boot", "k"}, "quiet", nil},
		{"flags last", []string{"boot", "k", "i", "--cmdline=quiet splash"}, []string{"boot", "k", "i"}, "quiet splash", nil},
		{"flags between", []string{"boot", "-initrd", "a", "k", "-initrd=b"}, []string{"boot", "k"}, "", cli.Strings{"a", "b"}},
		{"after two dashes", []string{"boot", "--", "-cmdline"}, []string{"boot", "-cmdline"}, "", nil},
		{"nothing", nil, nil, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			flags := flag.NewFlagSet("x", flag.ContinueOnError)
			cmdline := flags.String("cmdline", "", "")
			var initrd cli.Strings
			flags.Var(&initrd, "initrd", "")
			rest, err := cli.Parse(flags, tt.args, io.Discard)
			require.NoError(t, err)
			assert.Equal(t, tt.rest, rest)
			assert.Equal(t, tt.cmdline, *cmdline)
			assert.Equal(t, tt.initrd, initrd)
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()

	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	_, err := cli.Parse(flags, []string{"boot", "-nope"}, io.Discard)
	var usage *cli.UsageError
	require.ErrorAs(t, err, &usage)
	assert.ErrorContains(t, err, "-nope")

	var help strings.Builder
	flags = flag.NewFlagSet("x", flag.ContinueOnError)
	flags.Bool("quick", false, "be quick")
	_, err = cli.Parse(flags, []string{"-h"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	assert.Contains(t, help.String(), "be quick")
}

func TestOnly(t *testing.T) {
	t.Parallel()

	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	for _, name := range []string{"a", "b", "c"} {
		flags.String(name, "same", "")
	}
	_, err := cli.Parse(flags, []string{"-c=same", "word", "-b="}, io.Discard)
	require.NoError(t, err)
	require.NoError(t, cli.Only(flags, "this", []string{"b", "c", "d"}))
	assert.EqualError(t, cli.Only(flags, "that", []string{"a"}), "-b has no effect on that\n-c has no effect on that")
}
