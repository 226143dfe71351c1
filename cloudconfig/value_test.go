package cloudconfig_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

func TestValuesSet(t *testing.T) {
	t.Parallel()

	for _, value := range []string{
		"mudler", "0123", "1e3", "yes", "=", "a=b=c", "a,b", `"quoted"`, `\(1+1)`, `\b`, "true", "false", "True", "null", "~",
		"[[ .x ]]", "{{ x }}", "", " ", "<no value>", "ünï", "a\tb",
	} {
		var v cloudconfig.Values
		require.NoError(t, v.Set("github.user="+value))
		d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\nx: |\n  |[[.github.user]]|\n"))
		require.NoError(t, err)
		out, err := d.Render(&v)
		require.NoError(t, err)
		assert.Equal(t, "#cloud-config\nx: |\n  |"+value+"|\n", string(out.Bytes()))
	}
}

func TestValuesSetWhenItIsWrong(t *testing.T) {
	t.Parallel()

	for pair, want := range map[string]string{
		"hunter2":     "want name=value, got no equals sign",
		"=hunter2":    "want letters, digits",
		".a=hunter2":  "want letters, digits",
		"a..b=x":      "want letters, digits",
		"a.0=x":       "want letters, digits",
		"a b=hunter2": "want letters, digits",
		"u[0].name=x": "want letters, digits",
	} {
		var v cloudconfig.Values
		err := v.Set(pair)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
		assert.Empty(t, v.Names())
	}
}

func TestValuesWhenTheyConflict(t *testing.T) {
	t.Parallel()

	for _, names := range [][]string{{"a.b", "a"}, {"a", "a.b"}, {"a.b.c", "a.b"}} {
		var v cloudconfig.Values
		require.NoError(t, v.Set(names[0]+"=hunter1"))
		err := v.Set(names[1] + "=hunter2")
		require.ErrorContains(t, err, "exclude one another")
		assert.NotContains(t, err.Error(), "hunter")
	}
	var v cloudconfig.Values
	for _, pair := range []string{"a.b=1", "ab=2", "a.bc=3", "a.b=4"} {
		require.NoError(t, v.Set(pair))
	}
	assert.Equal(t, []string{"a.b", "a.bc", "ab"}, v.Names())
}

func TestNewValues(t *testing.T) {
	t.Parallel()

	_, err := cloudconfig.NewValues(map[string]string{"a": "1", "a.b": "2", "": "3"})
	require.ErrorContains(t, err, "exclude one another")
	require.ErrorContains(t, err, "want letters")
	v, err := cloudconfig.NewValues(map[string]string{"kairos.password": "1"})
	require.NoError(t, err)
	assert.Equal(t, []string{"kairos.password"}, v.Names())
}

func TestValuesAsFlag(t *testing.T) {
	t.Parallel()

	var v cloudconfig.Values
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.Var(&v, "set", "")
	require.NoError(t, flags.Parse([]string{"-set", "a=1,2", "-set", "b.c=x=y"}))
	assert.Equal(t, "a,b.c", v.String())
}

// TestFormat checks that what gets into a log by accident shows no secret.
func TestFormat(t *testing.T) {
	t.Parallel()

	var v cloudconfig.Values
	require.NoError(t, v.Set("password=hunter2"))
	d, err := cloudconfig.Parse(strings.NewReader("#cloud-config\npasswd: hunter2\n"))
	require.NoError(t, err)
	var out bytes.Buffer
	for _, x := range []any{d, *d, &v, v, []any{d, v}, struct{ X *cloudconfig.Values }{&v}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&out, verb, x)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("x", x))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", slog.Any("x", x))
		b, err := json.Marshal(x)
		require.NoError(t, err)
		out.Write(b)
	}
	for _, secret := range []string{"hunter2", "104 117", "68756e", "0x68, 0x75"} {
		assert.NotContains(t, out.String(), secret)
	}
}
