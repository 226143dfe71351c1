package ipxe

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testTicket() *ticket {
	return &ticket{
		Stage: StageFile, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, UUID: [16]byte{1, 2},
		Expires: time.Unix(2000000000, 0), Label: "other-0", Name: "root.squashfs",
	}
}

func TestSealerOpen(t *testing.T) {
	t.Parallel()

	s, err := newSealer([]byte("a key of some bytes"))
	require.NoError(t, err)
	id, err := s.seal(testTicket())
	require.NoError(t, err)
	assert.NotContains(t, id, "root")
	assert.Less(t, len("file?name="+id), 256, "curl and dracut make it a file's name")

	got, err := s.open(id, time.Unix(1999999999, 999999999))
	require.NoError(t, err)
	assert.Equal(t, testTicket(), got)
	_, err = s.open(id, time.Unix(2000000000, 0))
	require.ErrorIs(t, err, errExpired)

	for i := range id { // Any change makes it another's.
		c := byte('A')
		if id[i] == c {
			c = 'B'
		}
		_, err = s.open(id[:i]+string(c)+id[i+1:], time.Unix(0, 0))
		require.ErrorIs(t, err, errForged, i)
	}
	other, err := newSealer([]byte("another key"))
	require.NoError(t, err)
	_, err = other.open(id, time.Unix(0, 0))
	require.ErrorIs(t, err, errForged)

	long := testTicket()
	long.Name = strings.Repeat("x", maxName)
	id, err = s.seal(long)
	require.NoError(t, err)
	got, err = s.open(id, time.Unix(0, 0))
	require.NoError(t, err)
	assert.Equal(t, long, got)
	long.Name += "x"
	_, err = s.seal(long)
	require.Error(t, err)
}

// FuzzSealerOpen checks that nothing opens that was not sealed, and that
// whatever was sealed opens as it was.
func FuzzSealerOpen(f *testing.F) {
	s, err := newSealer([]byte("a key of some bytes"))
	require.NoError(f, err)
	id, err := s.seal(testTicket())
	require.NoError(f, err)
	f.Add(id, "name", "label")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, text, name, label string) {
		if opened, err := s.open(text, time.Unix(0, 0)); err == nil {
			require.Equal(t, testTicket(), opened, "the only one that was sealed")
		}
		want := testTicket()
		want.Name, want.Label = name, label[:min(len(label), 255)]
		sealed, err := s.seal(want)
		if len(name) > maxName {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		got, err := s.open(sealed, time.Unix(0, 0))
		require.NoError(t, err)
		require.Equal(t, want, got)
		if ticket, ok := parseTicket([]byte(text)); ok { // An authentic ID of another version.
			require.LessOrEqual(t, len(ticket.Name)+len(ticket.Label), len(text))
		}
	})
}

// FuzzExpand checks that text without braces stays, and that nothing but the
// two functions is called.
func FuzzExpand(f *testing.F) {
	f.Add(`a {{ ID "x" }} b`)
	f.Add("{{URL `x`}}{{ ID \"}}\" }}")
	f.Add(`{{ ID }} {{ ID "x`)
	f.Fuzz(func(t *testing.T, text string) {
		calls := 0
		got, err := expand(text, func(function, _ string) (string, error) {
			calls++
			require.Contains(t, []string{"ID", "URL"}, function)
			return "", nil
		})
		if err == nil {
			require.Equal(t, strings.Count(text, "{{") > 0, calls > 0)
			require.NotContains(t, strings.TrimSuffix(got, "{"), "{{ ID \"")
			require.LessOrEqual(t, len(collapse(got)), len(got))
		}
	})
}

func TestExpand(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"":                              "",
		"a b":                           "a b",
		`a={{ ID "x" }} b`:              "a=<ID x> b",
		`{{ID "x"}}{{URL "y"}}`:         "<ID x><URL y>",
		"{{ ID `C:\\x` }}":              `<ID C:\x>`,
		`{{ ID "a\"b}}" }}`:             `<ID a"b}}>`,
		`{ { ID "x" } }`:                `{ { ID "x" } }`,
		`{{ ID "x" | urlquery }}`:       "error",
		`{{ID}}`:                        "error",
		`{{ ID 'x' }}`:                  "error",
		`{{ ID "x" `:                    "error",
		`{{ ID "x" "y" }}`:              "error",
		`{{ .ID }}`:                     "error",
		`{{ id "x" }}`:                  "error",
		`{{- ID "x" -}}`:                "error",
		"{{":                            "error",
		`{{/* comment */}}`:             "error",
		`{{ "{{ ID \"secret\" }}" }}`:   "error",
		`{{ ID "x" }} }} {{ URL "y" }}`: "<ID x> }} <URL y>",
	} {
		got, err := expand(text, func(function, arg string) (string, error) { return "<" + function + " " + arg + ">", nil })
		if want == "error" {
			require.ErrorAs(t, err, new(*ScriptError), text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
}

func TestCollapse(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"":               "",
		"   ":            "",
		" a  b ":         "a b",
		`a "b  c"  d`:    `a "b  c" d`,
		`a="b  c" "  " `: `a="b  c" "  "`,
		"\xff  \xfe":     "\xff \xfe",
		"a\n b":          "a\n b",
	} {
		assert.Equal(t, want, collapse(text), "%q", text)
	}
}
