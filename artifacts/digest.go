package artifacts

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Digest names content by its hash, as OCI does: "sha256:" or "sha512:" and
// the hash in lower-case hexadecimal. The empty Digest stands for an unknown
// one.
type Digest string

// The algorithms of a [Digest].
const (
	SHA256 = "sha256"
	SHA512 = "sha512"
)

// ParseDigest returns the digest written as s: "sha256:" and 64 hexadecimal
// digits, or "sha512:" and 128. Upper case is accepted.
func ParseDigest(s string) (Digest, error) {
	algorithm, hash, _ := strings.Cut(strings.ToLower(s), ":")
	want := map[string]int{SHA256: sha256.Size, SHA512: sha512.Size}[algorithm]
	sum, err := hex.DecodeString(hash)
	if want == 0 || err != nil || len(sum) != want {
		return "", fmt.Errorf("artifacts: digest %.160q: want sha256: and 64 hexadecimal digits, or sha512: and 128", s)
	}
	return NewDigest(algorithm, sum), nil
}

// NewDigest returns the digest with the given hash.
func NewDigest(algorithm string, sum []byte) Digest {
	return Digest(algorithm + ":" + hex.EncodeToString(sum))
}

// Algorithm returns what is before the colon, such as [SHA256].
func (d Digest) Algorithm() string {
	algorithm, _, _ := strings.Cut(string(d), ":")
	return algorithm
}

// Hex returns what is behind the colon.
func (d Digest) Hex() string {
	_, hash, _ := strings.Cut(string(d), ":")
	return hash
}
