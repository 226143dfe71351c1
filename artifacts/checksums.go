package artifacts

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

const maxChecksums = 4 << 20 // bytes of a file of checksums

// Checksums is the content of a file such as SHA256SUMS. It is a [Verifier]
// that accepts what it lists.
type Checksums struct {
	bare  []Digest            // lines without a name
	named map[string][]Digest // by cleaned path
}

var _ Verifier = (*Checksums)(nil)

// ParseChecksums reads what sha256sum and sha512sum write: a digest, a blank,
// a blank or an asterisk, and a name, which a backslash before the digest
// says is escaped; what they write with --tag, as the BSDs do:
// "SHA256 (name) = digest"; and a digest alone. Lines end in LF or CR LF.
// Other lines, such as digests of other algorithms, are skipped. Without any
// digest, or with more than 4 MiB, it is an error.
func ParseChecksums(r io.Reader) (*Checksums, error) {
	limited := &io.LimitedReader{R: r, N: maxChecksums + 1}
	c := &Checksums{named: make(map[string][]Digest)}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		name, digest := parseChecksum(strings.TrimPrefix(lines.Text(), "\ufeff"))
		switch {
		case digest == "":
		case name == "":
			c.bare = append(c.bare, digest)
		default:
			name = cleanPath(name)
			c.named[name] = append(c.named[name], digest)
		}
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("artifacts: checksums: %w", lines.Err())
	case limited.N == 0:
		return nil, fmt.Errorf("artifacts: checksums: more than %d bytes", maxChecksums)
	case len(c.bare)+len(c.named) == 0:
		return nil, errors.New("artifacts: checksums: no SHA-256 or SHA-512 digest in them")
	}
	return c, nil
}

// parseChecksum returns the name and the digest in a line, "" if there is
// none.
func parseChecksum(line string) (string, Digest) {
	line = strings.TrimRight(line, "\r\n")
	line, escaped := strings.CutPrefix(line, `\`)
	hash, name, found := strings.Cut(line, " ")
	if found && (strings.HasPrefix(name, " ") || strings.HasPrefix(name, "*")) {
		name = name[1:] // Text or binary; GNU reads both the same.
	}
	if tagName, tagHash, ok := parseTagged(line); ok {
		name, hash = tagName, tagHash
	}
	if escaped {
		name = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(name)
	}
	sum, err := hex.DecodeString(hash)
	switch {
	case err != nil:
		return "", ""
	case len(sum) == sha256.Size:
		return name, NewDigest(SHA256, sum)
	case len(sum) == sha512.Size:
		return name, NewDigest(SHA512, sum)
	default:
		return "", ""
	}
}

// parseTagged splits "SHA256 (name) = digest", in which OpenSSL leaves out
// two of the blanks and adds a "2-".
func parseTagged(line string) (name, hash string, ok bool) {
	algorithm, rest, ok := strings.Cut(line, "(")
	end := strings.LastIndex(rest, ")")
	if !ok || end < 0 {
		return "", "", false
	}
	switch strings.TrimSuffix(algorithm, " ") {
	case "SHA256", "SHA512", "SHA2-256", "SHA2-512":
	default:
		return "", "", false
	}
	hash, ok = strings.CutPrefix(strings.TrimPrefix(rest[end+1:], " "), "= ")
	return rest[:end], hash, ok
}

// cleanPath makes "./a", "a" and "/a" the same.
func cleanPath(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

// Digest returns the digest of the file called name, which may be a path or
// a URL: of a line with the same path, or else with the same last element.
// Without one it returns "". Lines that contradict each other are an error.
// SHA-256 goes before SHA-512.
func (c *Checksums) Digest(name string) (Digest, error) {
	found := c.named[cleanPath(name)]
	if len(found) == 0 {
		last := base(name)
		for p, digests := range c.named {
			if path.Base(p) == last {
				found = append(found, digests...)
			}
		}
	}
	return agree(name, found)
}

// soleDigest is Digest for a file of checksums that belongs to one other
// file, and may hold a digest without a name.
func (c *Checksums) soleDigest(name string) (Digest, error) {
	d, err := c.Digest(name)
	if d == "" && err == nil && len(c.named) == 0 {
		return agree(name, c.bare)
	}
	return d, err
}

// agree returns the best of the digests, of which each algorithm has one.
func agree(name string, digests []Digest) (Digest, error) {
	one := make(map[string]Digest)
	for _, d := range digests {
		if other := one[d.Algorithm()]; other != "" && other != d {
			return "", fmt.Errorf("artifacts: checksums: %s is listed twice, as %s and as %s", label(name), other, d)
		}
		one[d.Algorithm()] = d
	}
	if d := one[SHA256]; d != "" {
		return d, nil
	}
	return one[SHA512], nil
}

// Verify implements [Verifier].
func (c *Checksums) Verify(_ context.Context, _ Source, info Info, r io.Reader) error {
	want, err := c.Digest(info.Name)
	if err != nil {
		return err
	}
	if want == "" {
		return fmt.Errorf("%s is not in the list of checksums: %w", label(info.Name), ErrUnverified)
	}
	got := info.Digest
	if got.Algorithm() != want.Algorithm() {
		h := newHashes([]claim{{digest: want}})
		if _, err := io.Copy(h, r); err != nil {
			return err
		}
		got = h.digest(want.Algorithm())
	}
	if got != want {
		return &DigestError{Name: label(info.Name), Want: want, Got: got, From: "the list of checksums"}
	}
	return nil
}
