package artifacts

import (
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// hashes computes every digest that can be asked for.
type hashes struct {
	sums map[string]hash.Hash
}

// newHashes returns hashes for SHA-256 and for the algorithms of the claims.
func newHashes(claims []claim) *hashes {
	h := &hashes{sums: map[string]hash.Hash{SHA256: sha256.New()}}
	for _, c := range claims {
		if c.digest.Algorithm() == SHA512 {
			h.sums[SHA512] = sha512.New()
		}
	}
	return h
}

// Write implements [io.Writer].
func (h *hashes) Write(p []byte) (int, error) {
	for _, sum := range h.sums {
		sum.Write(p) // Never fails.
	}
	return len(p), nil
}

// digest returns the digest of all that was written.
func (h *hashes) digest(algorithm string) Digest {
	return NewDigest(algorithm, h.sums[algorithm].Sum(nil))
}
