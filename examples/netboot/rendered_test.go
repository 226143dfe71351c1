package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBooterCloudConfig(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel")
	const template = "#cloud-config\nhostname: [[.name]]\nruncmd: ['[[ -f x ]]', 'a,b=[[.x]]']\n"
	name := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(name, []byte(template), 0o600))
	for _, given := range []string{"config.yaml", name} {
		args := []string{"-root", dir, "-kernel", "kernel", "-cloud-config", given}
		c, err := parseConfig(args, io.Discard)
		require.NoError(t, err)
		b, err := newBooter(t.Context(), c, discard)
		require.NoError(t, err)
		assert.Equal(t, template, read(t, b.decide, given), "without -set it is served as it is")
		b.close()

		c, err = parseConfig(append(args, "-set", "name=node-1", "-set", "x=1,2=3"), io.Discard)
		require.NoError(t, err)
		b, err = newBooter(t.Context(), c, discard)
		require.NoError(t, err)
		assert.Equal(t, "#cloud-config\nhostname: node-1\nruncmd: ['[[ -f x ]]', 'a,b=1,2=3']\n", read(t, b.decide, given))
		assert.Equal(t, "content of kernel", read(t, b.decide, "kernel"))
		b.close()
	}
}

func TestBooterCloudConfigErrors(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel", "text")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("#cloud-config\nhostname: [[.name]]\n"), 0o600))
	for file, want := range map[string]string{
		"config.yaml": `config.yaml: cloudconfig: render: line 2, column 11: no value for name; given are nane in "hostname: ***"`,
		"text":        "#cloud-config is missing",
		"none":        "none",
	} {
		c, err := parseConfig([]string{"-root", dir, "-kernel", "kernel", "-cloud-config", file, "-set", "nane=hunter2"}, io.Discard)
		require.NoError(t, err)
		_, err = newBooter(t.Context(), c, discard)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	for want, set := range map[string][]string{
		"-set is for -cloud-config": {"-set", "a=hunter2"},
		"want name=value":           {"-cloud-config", "c", "-set", "hunter2"},
		"exclude one another":       {"-cloud-config", "c", "-set", "a=hunter2", "-set", "a.b=hunter2"},
	} {
		_, err := parseConfig(append([]string{"-kernel", "k"}, set...), io.Discard)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
