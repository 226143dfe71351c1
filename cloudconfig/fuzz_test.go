package cloudconfig_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

// seeds adds every document under testdata to f.
func seeds(f *testing.F) {
	f.Helper()
	names, err := filepath.Glob("testdata/*.yaml")
	require.NoError(f, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
}

// FuzzParse checks that a fault is always at a place of the document, and that
// what is a document can be checked.
func FuzzParse(f *testing.F) {
	seeds(f)
	for _, body := range []string{
		"a: *b", "a: [b", "\ta", "a: \"b\nc", "a: 1\n---\n", "&a [*a]", "? a\n: b", "a: |\n b\n  c\nd", "<<: *x", "<<: [1]", "stages: {a: [{users: {}}]}",
		"a: &a [1]\nb: &b [*a, *a]\nusers: *b", "!!binary x", "%TAG x", "a: b: c", "[[.a]]", "users:\n- &u {name: a, <<: *u}", "{a: 1, a: 2}", "\ufeffa", "a\u0085b: c",
	} {
		f.Add([]byte("#cloud-config\n" + body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := cloudconfig.Parse(bytes.NewReader(data))
		if err != nil {
			checkPlace(t, data, err)
			return
		}
		assert.Equal(t, data, d.Bytes())
		lines := 2
		for _, lineBreak := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // YAML 1.1 has all of these.
			lines += bytes.Count(data, []byte(lineBreak))
		}
		warnings, err := d.Validate()
		if invalid, ok := errors.AsType[*cloudconfig.ValidationError](err); ok {
			warnings = append(warnings, invalid.Problems...)
		} else if err != nil {
			assert.True(t, d.HasActions(), "what is parsed can be checked: %v", err)
		}
		for _, p := range warnings {
			assert.Positive(t, p.Line)
			assert.Positive(t, p.Column)
			assert.LessOrEqual(t, p.Line, lines)
		}
	})
}

// FuzzRender checks that rendering does not panic, that all but actions stays
// as it is, and that nothing given shows in an error.
func FuzzRender(f *testing.F) {
	for _, text := range []string{
		"[[.a]]", "[[[ .a ]]]", "[[ if .a ]]x[[ else ]]y[[ end ]]", "[[ range list 1 2 ]][[ print . ]][[ end ]]", "[[ default \"]]\" .b ]]", "[[- .a -]]",
		"if [[ -f x ]]; then", "[[1,2],[3]]", "{{ trunc 4 .MachineID }}", "[[ upper .a | lower | repeat 3 ]]", "[[ with $x := .a ]][[ print $x ]][[ end ]]",
		"[[ define \"t\" ]][[ . ]][[ end ]][[ template \"t\" . ]]", "[[ .a-b.c-d ]]", "[[ eq .a 1 ]]", "[[ break ]]", "[[ fail .a ]]", "[[ printf \"%9999999d\" 1 ]]",
		"[[ index . \"a\" ]]", "[[ set . \"b\" . ]]", "[[ dict \"a\" 1 | toJson ]]", "[[ substr 0 9 .a ]]", "[[ chunk 0 (list 1) ]]", "[[ splitn \"\" 2 .a ]]", "[[\t.a\r\n]]",
		"[[ $.a ]]", "[[ (.a).b ]]", "[[ print (semver \"1.2.3\").Major ]]", "[[ block \"x\" .a ]]z[[ end ]]", "[[ else if .a ]]", "[[ end", "]]", "\x00[ .a ]\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const secret = "Zx9qPw7vKd"
		data := "#cloud-config\n#" + text
		d, err := cloudconfig.Parse(strings.NewReader(data), cloudconfig.WithMaxSize(1<<16))
		if err != nil {
			return
		}
		v, err := cloudconfig.NewValues(map[string]string{"a": secret, "c.d": "false", "e-f": "1"})
		require.NoError(t, err)
		out, err := d.Render(v)
		switch {
		case err != nil:
			checkPlace(t, nil, err)
			assert.NotContains(t, err.Error(), secret)
		case !d.HasActions():
			assert.Equal(t, data, string(out.Bytes()))
		default:
			assert.Less(t, len(out.Bytes()), 1<<16+1)
			first, _, _ := strings.Cut(data, "[[")
			if !strings.Contains(text, "[[-") && !strings.Contains(text, "[[[-") {
				assert.True(t, bytes.HasPrefix(out.Bytes(), []byte(first)), "text before the first action")
			}
		}
	})
}

// checkPlace checks that err is an Error, with a place in data if it has data.
func checkPlace(t *testing.T, data []byte, err error) {
	t.Helper()
	var e *cloudconfig.Error
	require.ErrorAs(t, err, &e)
	assert.True(t, utf8.ValidString(e.Text))
	assert.Equal(t, e.Line > 0, e.Column > 0)
	if data == nil || e.Line == 0 {
		return
	}
	lines := bytes.Split(data, []byte("\n"))
	require.LessOrEqual(t, e.Line, len(lines))
	assert.LessOrEqual(t, e.Column, len(lines[e.Line-1])+1)
}
