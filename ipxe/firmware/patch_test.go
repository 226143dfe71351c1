package firmware_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
)

const placeholder = "\n#a8b7e61f1075c37a793f2f92cee89f7bba00c4a8d7842ce3d40b5889032d8881\n"

// TestPatch overwrites exactly the script that ipxedust embeds, known by its
// digest, and nothing beside it.
func TestPatch(t *testing.T) {
	t.Parallel()

	const size, digest = 1713, "662f86785006d6b1857e7ee9b029fa19a2c78a685969bb6135deae50ba3ff1d0"
	for name, program := range map[string][]byte{"ipxe.efi": binary.IpxeEFI, "snp.efi": binary.SNP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			original := bytes.Clone(program)
			script := []byte("#!ipxe\necho changed\n")
			patched, err := firmware.Patch(program, script)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(original, program), "the argument is not written to")
			require.Len(t, patched, len(program))

			at := bytes.Index(patched, script)
			require.Positive(t, at)
			padded := append(script, bytes.Repeat([]byte{'\n'}, size-len(script))...)
			assert.Equal(t, string(padded), string(patched[at:at+size]))
			assert.True(t, bytes.Equal(program[:at], patched[:at]))
			assert.True(t, bytes.Equal(program[at+size:], patched[at+size:]))
			sum := sha256.Sum256(program[at : at+size])
			assert.Equal(t, digest, hex.EncodeToString(sum[:]))
			assert.True(t, bytes.HasSuffix(program[:at+size], []byte("\nshell\n")))

			full := "#!ipxe\n" + strings.Repeat("#", size-len("#!ipxe\n"))
			patched, err = firmware.Patch(program, []byte(full))
			require.NoError(t, err)
			assert.Equal(t, full, string(patched[at:at+size]))
			_, err = firmware.Patch(program, []byte(full+"#"))
			require.ErrorContains(t, err, "script of 1714 bytes: the program has room for 1713")
		})
	}
}

func TestPatchRefuses(t *testing.T) {
	t.Parallel()

	text := "#!ipxe\necho hello" + placeholder + "shell\n"
	for _, tt := range []struct{ name, program, script, want string }{
		{"nothing to replace", "MZ", "#!ipxe\n", "no replaceable script"},
		{"compressed", string(binary.Undionly), "#!ipxe\n", "no replaceable script"},
		{"two of them", "\x00" + text + "\x00" + text, "#!ipxe\n", "placeholder not found exactly once"},
		{"no first line", "\x00echo hello" + placeholder, "#!ipxe\n", "no first line before the placeholder"},
		{"first line beyond other bytes", "#!ipxe\n\x00" + placeholder, "#!ipxe\n", "no first line"},
		{"too long", "\x00" + text + "\x00", "#!ipxe\n" + strings.Repeat("#", len(text)), "the program has room for"},
		{"no script", "\x00" + text + "\x00", "echo\n", "does not begin with"},
		{"another script", "\x00" + text + "\x00", "#!ipxer\n", "does not begin with"},
		{"nothing behind", "\x00" + text + "\x00", "#!ipxe", "does not begin with"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := firmware.Patch([]byte(tt.program), []byte(tt.script))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// FuzzPatch checks that whatever is patched keeps its length, holds the script
// once where the old one was, and is otherwise untouched.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("\x00\x01#!ipxe\nshell"+placeholder+"shell\n\\\x80"), []byte("#!ipxe\nexit\n"))
	f.Add([]byte("#!ipxe\n"+placeholder), []byte("#!ipxe\n"))
	f.Add([]byte(placeholder+"#!ipxe\n"+placeholder), []byte("#!ipxe\n"))
	f.Fuzz(func(t *testing.T, program, script []byte) {
		patched, err := firmware.Patch(program, script)
		if err != nil {
			return
		}
		require.Len(t, patched, len(program))
		at := bytes.Index(program, []byte(placeholder))
		from := bytes.LastIndex(program[:at+1], []byte("#!ipxe\n"))
		require.True(t, bytes.HasPrefix(patched[from:], script))
		require.True(t, bytes.Equal(program[:from], patched[:from]))
		for i := from + len(script); i < len(program); i++ {
			if program[i] != patched[i] {
				require.Equal(t, byte('\n'), patched[i], "at %d", i)
			}
		}
	})
}

func TestStartScript(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ name, url string }{
		{"start-server.ipxe", "http://${proxydhcp/next-server}:8090/_/ipxe?mac=${netX/mac}"},
		{"start-absolute.ipxe", "https://boot.example:8443/_/ipxe?mac=${netX/mac}"},
		{"start-none.ipxe", ""},
	} {
		script, err := firmware.StartScript(tt.url)
		require.NoError(t, err)
		golden.Check(t, tt.name, script)

		set, err := firmware.NewSet(firmware.WithScriptURL(tt.url))
		require.NoError(t, err)
		for _, name := range []string{"ipxe.efi", "snp.efi"} {
			program, err := fs.ReadFile(set, name)
			require.NoError(t, err)
			assert.Equal(t, 1, bytes.Count(program, script), name)
			assert.NotContains(t, string(program), "Neverland")
			assert.Contains(t, string(script), "\nset user-class "+firmware.UserClass+"\n")
		}
	}
}

func TestStartScriptRefuses(t *testing.T) {
	t.Parallel()

	for url, want := range map[string]string{
		"http://x/a b":             `' ' must be written as %20`,
		"http://x/\nshell":         `'\n' must be written as %0A`,
		"http://x/ü":               `must be written as`,
		"--name":                   "takes it for an option",
		strings.Repeat("x", 1<<20): "has room for",
	} {
		_, err := firmware.NewSet(firmware.WithScriptURL(url))
		assert.ErrorContains(t, err, want)
	}
}

// TestPatchWithWindowsLines takes a first line that ends as others do on Windows:
// white space is white space to iPXE.
func TestPatchWithWindowsLines(t *testing.T) {
	t.Parallel()

	const script = "#!ipxe\r\nshell\r\n"
	patched, err := firmware.Patch(binary.SNP, []byte(script))
	require.NoError(t, err)
	assert.Contains(t, string(patched), script)
}
