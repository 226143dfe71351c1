package main

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/ipxe"
)

func TestParseConfig(t *testing.T) {
	t.Parallel()

	boot := func(c *config) []string {
		return append([]string{c.kernel, c.cmdline, c.message}, c.initrd...)
	}
	tests := []struct {
		name string
		args []string
		want []string // kernel, command line, message, initrds
	}{
		{"flags", []string{"-kernel", "k", "-initrd", "i0", "-initrd", "i1", "-cmdline", "quiet"}, []string{"k", "quiet", "", "i0", "i1"}},
		{"pixiecore", []string{"boot", "k", "i0", "i1", "--cmdline=quiet", "--bootmsg", "hi"}, []string{"k", "quiet", "hi", "i0", "i1"}},
		{
			"pixiecore's seed",
			[]string{"boot", "/files/k", "/files/i", `--cmdline=rd.neednet=1 root=live:{{ ID "/files/r.squashfs" }} config_url={{ ID "/files/config.yaml" }}`},
			[]string{"/files/k", `rd.neednet=1 root=live:{{ ID "/files/r.squashfs" }} config_url={{ ID "/files/config.yaml" }}`, "", "/files/i"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			c, err := parseConfig(tt.args, io.Discard)
			require.NoError(t, err)
			assert.Equal(t, tt.want, boot(c))
		})
	}
}

func TestParseConfigServer(t *testing.T) {
	t.Parallel()

	c, err := parseConfig([]string{"api", "http://192.0.2.1/", "-p", "80", "--dhcp-no-bind", "-l", "192.0.2.2", "-d", "-relay", "10.1.2.3/16"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "http://192.0.2.1/", c.api)
	assert.EqualValues(t, 80, c.httpPort)
	assert.Equal(t, "192.0.2.2", c.listen.String())
	assert.True(t, c.packet && c.debug)
	assert.Equal(t, "[10.1.0.0/16]", c.relays.String())
	assert.Equal(t, ipxe.LocalExit, c.local)
	assert.Equal(t, "http://h:80", c.base("h"))

	c, err = parseConfig([]string{"-kernel", "k", "-base-url", "https://boot.example/x/"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "https://boot.example/x", c.base("h"))
}

func TestParseConfigErrors(t *testing.T) {
	t.Parallel()

	tests := []struct {
		args string
		want string
	}{
		{"", "nothing to boot"},
		{"-kernel k -table /dev/null", "-kernel and -table exclude one another"},
		{"-initrd i -api http://h/", "-initrd belongs to -kernel"},
		{"-cloud-config c -api http://h/", "belong to -kernel, -iso or -repository"},
		{"-kernel k -http-port 70000", "-http-port 70000 not in 1..65535"},
		{"-kernel k -advertise 2001:db8::1", "is not an IPv4 address"},
		{"-kernel k -base-url ftp://h", `-base-url "ftp://h" is not an http or https URL`},
		{"-kernel k -cert /dev/null", "need each other"},
		{"-kernel k -log-format xml", `-log-format "xml" is neither text nor json`},
		{"-kernel k -relay 10.1.0.0", "want an IPv4 network such as 10.1.0.0/16"},
		{"-kernel k -autoexec", "-autoexec is for the boot programs of -firmware"},
		{"-kernel k -key-file /nonexistent", "/nonexistent"},
		{"-kernel k -local-boot never", "never"},
		{"boot", "boot needs a kernel"},
		{"api a b", "api needs one URL, got 2 words"},
		{"frobnicate", `"frobnicate" is not a command`},
		{"-frobnicate", "-frobnicate"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()

			_, err := parseConfig(strings.Fields(tt.args), io.Discard)
			require.ErrorContains(t, err, tt.want)
			var usage *cli.UsageError
			require.ErrorAs(t, err, &usage)
		})
	}
}

func TestParseConfigHelp(t *testing.T) {
	t.Parallel()

	var help strings.Builder
	_, err := parseConfig([]string{"-help"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, want := range []string{"netboot boot KERNEL", "-cloud-config", "-check"} {
		assert.Contains(t, help.String(), want)
	}
}
