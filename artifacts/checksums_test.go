package artifacts_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

const (
	one = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	two = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
)

var long = strings.Repeat("0123456789abcdef", 8)

func TestChecksumsDigest(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ file, name, want string }{
		"text":                       {one + "  kernel\n", "kernel", "sha256:" + one},
		"binary":                     {one + " *kernel\n", "kernel", "sha256:" + one},
		"upper case":                 {strings.ToUpper(one) + "  kernel\n", "kernel", "sha256:" + one},
		"without a last line end":    {one + "  kernel", "kernel", "sha256:" + one},
		"CR LF":                      {one + "  kernel\r\n" + two + "  initrd\r\n", "initrd", "sha256:" + two},
		"byte order mark":            {"\ufeff" + one + "  kernel\n", "kernel", "sha256:" + one},
		"BSD":                        {"SHA256 (kernel) = " + one + "\n", "kernel", "sha256:" + one},
		"BSD with parentheses":       {"SHA256 (kernel (1)) = " + one + "\n", "kernel (1)", "sha256:" + one},
		"BSD with SHA-512":           {"SHA512 (kernel) = " + long + "\n", "kernel", "sha512:" + long},
		"OpenSSL":                    {"SHA256(kernel)= " + one + "\n", "kernel", "sha256:" + one},
		"OpenSSL 3":                  {"SHA2-256(kernel)= " + one + "\n", "kernel", "sha256:" + one},
		"SHA-512":                    {long + "  kernel\n", "kernel", "sha512:" + long},
		"best of two":                {long + "  kernel\n" + one + "  kernel\n", "kernel", "sha256:" + one},
		"escaped":                    {`\` + one + `  a\nb\\c` + "\n", "a\nb\\c", "sha256:" + one},
		"path in the list":           {one + "  ./dist/kernel\n", "kernel", "sha256:" + one},
		"path asked for":             {one + "  kernel\n", "https://x.example/y/kernel?z", "sha256:" + one},
		"URL with escapes":           {one + "  a b\n", "https://x.example/a%20b", "sha256:" + one},
		"same path before same name": {one + "  a/kernel\n" + two + "  b/kernel\n", "b/kernel", "sha256:" + two},
		"blanks in the name":         {one + "  a b  c\n", "a b  c", "sha256:" + one},
		"other algorithms skipped":   {"d41d8cd98f00b204e9800998ecf8427e  kernel\n" + one + "  kernel\n", "kernel", "sha256:" + one},
		"signed message":             {"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + one + "  kernel\n", "kernel", "sha256:" + one},
		"not listed":                 {one + "  kernel\n", "initrd", ""},
		"no prefix of a name":        {one + "  kernel\n", "kern", ""},
		"bare digest":                {one + "\n", "kernel", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sums, err := artifacts.ParseChecksums(strings.NewReader(test.file))
			require.NoError(t, err)
			got, err := sums.Digest(test.name)
			require.NoError(t, err)
			assert.Equal(t, artifacts.Digest(test.want), got)
		})
	}
}

func TestChecksumsDigestWhenAmbiguous(t *testing.T) {
	t.Parallel()

	sums, err := artifacts.ParseChecksums(strings.NewReader(one + "  a/kernel\n" + two + "  b/kernel\n"))
	require.NoError(t, err)
	_, err = sums.Digest("kernel")
	require.ErrorContains(t, err, "kernel is listed twice")
}

func TestParseChecksumsRefuses(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct{ file, want string }{
		"nothing":   {"", "no SHA-256 or SHA-512 digest"},
		"a page":    {"<!DOCTYPE html>\n<title>Not found</title>", "no SHA-256 or SHA-512 digest"},
		"too much":  {strings.Repeat(one+"  kernel\n", 70_000), "more than 4194304 bytes"},
		"long line": {strings.Repeat("x", 70_000), "token too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := artifacts.ParseChecksums(strings.NewReader(test.file))
			require.ErrorContains(t, err, test.want)
		})
	}
}

// TestChecksumsOracle reads what coreutils write, for names that they escape.
func TestChecksumsOracle(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	names := []string{"plain", "with blank", " leading", "back\\slash", "new\nline", "return\r", "*star", "(paren)", "ü"}
	for _, name := range names {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	for _, args := range [][]string{{"sha256sum"}, {"sha256sum", "-b"}, {"sha256sum", "--tag"}, {"sha512sum"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), oracle.Need(t, args[0]), append(append(args[1:], "--"), names...)...)
			cmd.Dir = dir
			out, err := cmd.Output()
			require.NoError(t, err)
			sums, err := artifacts.ParseChecksums(strings.NewReader(string(out)))
			require.NoError(t, err)
			for _, name := range names {
				got, err := sums.Digest(name)
				require.NoError(t, err)
				if args[0] == "sha256sum" {
					assert.Equal(t, digestOf([]byte(name)), got, "%q", name)
				} else {
					assert.Equal(t, artifacts.SHA512, got.Algorithm(), "%q", name)
				}
			}
		})
	}
}

func FuzzParseChecksums(f *testing.F) {
	f.Add([]byte(one+"  kernel\n"), "kernel")
	f.Add([]byte("SHA256 (kernel) = "+one+"\r\n"), "a/kernel")
	f.Add([]byte(`\`+one+` *a\nb`), "a\nb")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		sums, err := artifacts.ParseChecksums(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		d, err := sums.Digest(name)
		if err != nil || d == "" {
			return
		}
		parsed, err := artifacts.ParseDigest(string(d))
		require.NoError(t, err)
		assert.Equal(t, d, parsed)
		assert.Contains(t, strings.ToLower(string(data)), d.Hex())
	})
}

// FuzzChecksumsName checks that what sha256sum would write is found again.
func FuzzChecksumsName(f *testing.F) {
	f.Add("kernel")
	f.Add("a\\b\nc\rd")
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.Contains(name, "/") || strings.Contains(name, "\x00") || strings.ToValidUTF8(name, "") != name || len(name) > 255 || name == "." || name == ".." {
			return
		}
		line := fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(name)), name)
		if escaped := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`).Replace(name); escaped != name {
			line = fmt.Sprintf("\\%x  %s\n", sha256.Sum256([]byte(name)), escaped)
		}
		sums, err := artifacts.ParseChecksums(strings.NewReader(line))
		require.NoError(t, err)
		got, err := sums.Digest(name)
		require.NoError(t, err)
		assert.Equal(t, digestOf([]byte(name)), got)
	})
}
